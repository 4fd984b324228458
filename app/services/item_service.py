"""Business rules for items. Every statement is limited to one owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select, true, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from app.core.exceptions import DomainError, NotFoundError, PreconditionFailedError
from app.db.base import LIKE_ESCAPE, escape_like
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session
from app.db.statements import statement
from app.models.item import Item
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate

Versions = frozenset[int] | None
"""The versions that may be changed; None means any."""
ORDER = SortOrder(Item.created_at, Item.title, key=Item.id)


@statement
def select_item(owner_id: UUID, item_id: UUID) -> Select[Item]:
    """Select one item of one owner."""
    return select(Item).where(Item.id == item_id, Item.owner_id == owner_id)


@statement(custom_plan=("title", "created_after", "created_before"))
def select_items(
    owner_id: UUID, title: str | None, created_after: datetime | None, created_before: datetime | None
) -> Select[Item]:
    """Select the items of one owner that match; `title` is escaped for LIKE."""
    items = select(Item).where(Item.owner_id == owner_id)
    if title is not None:
        items = items.where(Item.title.icontains(title, escape=LIKE_ESCAPE))
    if created_after is not None:
        items = items.where(Item.created_at > created_after)
    if created_before is not None:
        items = items.where(Item.created_at < created_before)
    return items


@statement
def insert_item(values: dict[str, Any]) -> ReturningInsert[Item]:
    """Insert an item."""
    return insert(Item).values(values).returning(Item)


@statement
def update_item(owner_id: UUID, item_id: UUID, versions: Versions, changes: dict[str, Any]) -> ReturningUpdate[Item]:
    """Change one item, if it has one of these versions."""
    return update(Item).where(_is_item(owner_id, item_id, versions)).values(changes).returning(Item)


@statement
def delete_item(owner_id: UUID, item_id: UUID, versions: Versions) -> ReturningDelete[Item]:
    """Delete one item, if it has one of these versions."""
    return delete(Item).where(_is_item(owner_id, item_id, versions)).returning(Item)


def _is_item(owner_id: UUID, item_id: UUID, versions: Versions) -> ColumnElement[bool]:
    has_version = true() if versions is None else Item.version.in_(versions)
    return and_(Item.id == item_id, Item.owner_id == owner_id, has_version)


@dataclass(frozen=True, slots=True)
class ItemService:
    """The items of one owner. Another owner's item and a missing one raise the same NotFoundError."""

    db: Session
    owner_id: UUID

    async def get(self, item_id: UUID) -> Item:
        """Return one item."""
        item = await self.db.fetch_one(select_item(self.owner_id, item_id))
        if item is None:
            raise NotFoundError
        return item

    async def list(self, query: ItemQuery) -> KeysetPage[Item]:
        """Return one page of the items that match."""
        title = escape_like(query.title) if query.title else None
        items = select_items(self.owner_id, title, query.created_after, query.created_before)
        return await paginate(self.db, items, ORDER, query)

    async def create(self, data: ItemCreate) -> Item:
        """Create an item."""
        [item] = await self.db.fetch_all(insert_item({"owner_id": self.owner_id, **data.model_dump()}))
        return item

    async def update(self, item_id: UUID, data: ItemUpdate, versions: Versions = None) -> Item:
        """Change the given fields.

        Raises PreconditionFailedError if the item has none of these versions.
        """
        item = await self.db.fetch_one(update_item(self.owner_id, item_id, versions, data.model_dump()))
        if item is None:
            raise await self._missing_or_changed(item_id)
        return item

    async def delete(self, item_id: UUID, versions: Versions = None) -> None:
        """Delete an item.

        Raises PreconditionFailedError if it has none of these versions.
        """
        if await self.db.fetch_one(delete_item(self.owner_id, item_id, versions)) is None:
            raise await self._missing_or_changed(item_id)

    async def _missing_or_changed(self, item_id: UUID) -> DomainError:
        await self.get(item_id)
        return PreconditionFailedError()
