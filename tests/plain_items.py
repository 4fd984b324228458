"""Items on plain SQLAlchemy: the service without traced statements."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, select

from app.core.exceptions import NotFoundError, PreconditionFailedError
from app.db.base import LIKE_ESCAPE, escape_like
from app.db.pagination import KeysetPage, paginate
from app.db.session import Session
from app.dependencies import CurrentUser, Db
from app.models.item import Item
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate
from app.services.item_service import ORDER, Versions


@dataclass(frozen=True, slots=True)
class PlainItemService:
    """The items of one owner, with entities and statements that the session of SQLAlchemy runs."""

    db: Session
    owner_id: UUID

    async def get(self, item_id: UUID) -> Item:
        """Return one item."""
        item = await self.db.scalar(self._select(item_id))
        if item is None:
            raise NotFoundError
        return item

    async def list(self, query: ItemQuery) -> KeysetPage[Item]:
        """Return one page of the items that match."""
        items = select(Item).where(Item.owner_id == self.owner_id)
        if query.title is not None:
            items = items.where(Item.title.icontains(escape_like(query.title), escape=LIKE_ESCAPE))
        if query.created_after is not None:
            items = items.where(Item.created_at > query.created_after)
        if query.created_before is not None:
            items = items.where(Item.created_at < query.created_before)
        return await paginate(self.db, items, ORDER, query)

    async def create(self, data: ItemCreate) -> Item:
        """Create an item."""
        item = Item(owner_id=self.owner_id, **data.model_dump())
        self.db.add(item)
        await self.db.flush()
        return item

    async def update(self, item_id: UUID, data: ItemUpdate, versions: Versions = None) -> Item:
        """Change the given fields."""
        item = await self._lock(item_id, versions)
        for name, value in data.model_dump().items():
            setattr(item, name, value)
        await self.db.flush()
        return item

    async def delete(self, item_id: UUID, versions: Versions = None) -> None:
        """Delete an item."""
        await self._lock(item_id, versions)
        await self.db.execute(delete(Item).where(Item.id == item_id))

    def _select(self, item_id: UUID) -> Select[Item]:
        return select(Item).where(Item.id == item_id, Item.owner_id == self.owner_id)

    async def _lock(self, item_id: UUID, versions: Versions) -> Item:
        item = await self.db.scalar(self._select(item_id).with_for_update())
        if item is None:
            raise NotFoundError
        if versions is not None and item.version not in versions:
            raise PreconditionFailedError
        return item


async def get_plain_items(db: Db, user: CurrentUser) -> PlainItemService:
    """Return the plain service, in place of `get_items`."""
    return PlainItemService(db, user.user_id)
