"""Items: only ever those of the owner who is asking."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update

from app.core.exceptions import NotFoundError
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.session import Reader, Writer
from app.models.item import ITEM_COLUMNS, Item, ItemRow, select_items
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate

SORTABLE = {"created_at": Item.created_at, "title": Item.title}


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Reads the items of one owner; another's and a missing one are the same NotFoundError."""

    session: Reader
    owner_id: UUID
    cursors: Cursors

    async def get(self, item_id: UUID) -> ItemRow:
        """Read one item."""
        statement = select_items(self.owner_id).where(Item.id == item_id)
        item = (await self.session.execute(statement)).one_or_none()
        if item is None:
            raise NotFoundError
        return item

    async def list(self, query: ItemQuery) -> KeysetPage[ItemRow]:
        """Read a page of the items that match."""
        statement = select_items(self.owner_id)
        if query.title is not None:
            statement = statement.where(Item.title.icontains(query.title, autoescape=True))
        order = Order(SORTABLE[query.sort.lstrip("-")], Item.id, query.sort.startswith("-"))
        scope = f"items {self.owner_id} {query.sort} {query.title}"
        return await Keyset(self.cursors, order, scope).page(
            self.session, statement, limit=query.limit, cursor=query.cursor
        )


@dataclass(frozen=True, slots=True)
class ItemService(ItemReader):
    """Creates, changes and deletes them."""

    session: Writer

    async def create(self, data: ItemCreate) -> Item:
        """Make an item."""
        item = Item(owner_id=self.owner_id, **data.model_dump())
        self.session.add(item)
        await self.session.flush()
        return item

    async def update(self, item_id: UUID, data: ItemUpdate) -> ItemRow:
        """Change what is given."""
        statement = (
            update(Item)
            .where(Item.id == item_id, Item.owner_id == self.owner_id)
            .values(**data.model_dump(), version=Item.version + 1)
            .returning(*ITEM_COLUMNS)
        )
        item = (await self.session.execute(statement)).one_or_none()
        if item is None:
            raise NotFoundError
        return item

    async def delete(self, item_id: UUID) -> None:
        """Delete one item."""
        statement = delete(Item).where(Item.id == item_id, Item.owner_id == self.owner_id)
        if (await self.session.execute(statement.returning(Item.id))).one_or_none() is None:
            raise NotFoundError
