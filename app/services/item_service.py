"""Items: only ever those of the owner who is asking."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from uuid_utils.compat import uuid7

from app.core.exceptions import DomainError, NotFoundError, PreconditionFailedError
from app.db.base import escape_like
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.reader import Reader
from app.db.writer import Writer
from app.models.item import (
    CONDITIONS,
    CREATED_AT,
    ID,
    INSERT_ITEM,
    ITEM,
    TITLE,
    ItemRow,
    delete_item,
    select_items,
    update_item,
)
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate

Versions = frozenset[int] | None
"""The versions that may be changed; None: whichever there is."""
SORTABLE: dict[str, ColumnElement[Any]] = {"created_at": CREATED_AT, "title": TITLE}


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Reads the items of one owner; another's and a missing one are the same NotFoundError."""

    session: Reader
    owner_id: UUID
    cursors: Cursors

    async def get(self, item_id: UUID) -> ItemRow:
        """Read one item."""
        item = await self.session.fetch_one(ITEM, {"owner": self.owner_id, "item_id": item_id})
        if item is None:
            raise NotFoundError
        return item

    async def list(self, query: ItemQuery) -> KeysetPage[ItemRow]:
        """Read a page of the items that match."""
        given = ((name, getattr(query, name)) for name in CONDITIONS)
        conditions = {name: value for name, value in given if value is not None}
        if query.title is not None:
            conditions["title"] = escape_like(query.title)
        order = Order(SORTABLE[query.sort.lstrip("-")], ID, query.sort.startswith("-"))
        scope = f"items {self.owner_id} {query.sort} {conditions}"
        keyset = Keyset(self.cursors, order, scope, is_filtered=bool(conditions))
        parameters = {"owner": self.owner_id, **conditions}
        statement = select_items(*conditions)
        return await keyset.page(self.session, statement, ItemRow, parameters, limit=query.limit, cursor=query.cursor)


@dataclass(frozen=True, slots=True)
class ItemService(ItemReader):
    """Creates, changes and deletes them."""

    session: Writer

    async def create(self, data: ItemCreate) -> ItemRow:
        """Make an item."""
        values = {"id": uuid7(), "owner_id": self.owner_id, "title": data.title, "description": data.description}
        [item] = await self.session.fetch(INSERT_ITEM, values)
        return item

    async def update(self, item_id: UUID, data: ItemUpdate, versions: Versions = None) -> ItemRow:
        """Change what is given, if the item has one of these versions.

        The check is in the statement, not before it: of two editors of one version one gets PreconditionFailedError.
        """
        changes = data.model_dump()
        statement = update_item(*changes, is_versioned=versions is not None)
        values = {f"new_{name}": value for name, value in changes.items()}
        item = await self.session.fetch_one(statement, {**self._scope(item_id, versions), **values})
        if item is None:
            raise await self._why_not(item_id)
        return item

    async def delete(self, item_id: UUID, versions: Versions = None) -> None:
        """Delete one item, if it has one of these versions."""
        statement = delete_item(is_versioned=versions is not None)
        if await self.session.fetch_one(statement, self._scope(item_id, versions)) is None:
            raise await self._why_not(item_id)

    def _scope(self, item_id: UUID, versions: Versions) -> dict[str, Any]:
        return {"owner": self.owner_id, "item_id": item_id, "versions": versions}

    async def _why_not(self, item_id: UUID) -> DomainError:
        await self.get(item_id)
        return PreconditionFailedError()
