"""Items: only ever those of the owner who is asking."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, update

from app.core.exceptions import DomainError, NotFoundError, PreconditionFailedError
from app.db.base import escape_like
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.reader import Reader
from app.db.session import Writer
from app.models.item import CONDITIONS, ITEM, ITEM_COLUMNS, Item, ItemRow, select_items
from app.schemas.item import ItemCreate, ItemQuery, ItemUpdate

Versions = frozenset[int] | None
"""The versions that may be changed; None: whichever there is."""
SORTABLE = {"created_at": Item.created_at, "title": Item.title}


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Reads the items of one owner; another's and a missing one are the same NotFoundError."""

    session: Reader
    owner_id: UUID
    cursors: Cursors

    async def get(self, item_id: UUID) -> ItemRow:
        """Read one item."""
        found = await self.session.execute(ITEM, {"owner_id": self.owner_id, "item_id": item_id})
        item = found.one_or_none()
        if item is None:
            raise NotFoundError
        return item

    async def list(self, query: ItemQuery) -> KeysetPage[ItemRow]:
        """Read a page of the items that match."""
        conditions = query.model_dump(include=set(CONDITIONS), exclude_none=True)
        if query.title is not None:
            conditions["title"] = escape_like(query.title)
        order = Order(SORTABLE[query.sort.lstrip("-")], Item.id, query.sort.startswith("-"))
        scope = f"items {self.owner_id} {query.sort} {conditions}"
        keyset = Keyset(self.cursors, order, scope)
        parameters = {"owner_id": self.owner_id, **conditions}
        return await keyset.page(
            self.session, select_items(*conditions), parameters, limit=query.limit, cursor=query.cursor
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

    async def update(self, item_id: UUID, data: ItemUpdate, versions: Versions = None) -> ItemRow:
        """Change what is given, if the item has one of these versions.

        The check is in the statement, not before it: of two editors of one version one gets PreconditionFailedError.
        """
        statement = update(Item).where(*self._is(item_id, versions)).returning(*ITEM_COLUMNS)
        changes = {**data.model_dump(), "version": Item.version + 1}
        item = (await self.session.execute(statement.values(changes))).one_or_none()
        if item is None:
            raise await self._why_not(item_id)
        return item

    async def delete(self, item_id: UUID, versions: Versions = None) -> None:
        """Delete one item, if it has one of these versions."""
        statement = delete(Item).where(*self._is(item_id, versions)).returning(Item.id)
        if (await self.session.execute(statement)).one_or_none() is None:
            raise await self._why_not(item_id)

    def _is(self, item_id: UUID, versions: Versions) -> list[ColumnElement[bool]]:
        is_own = [Item.id == item_id, Item.owner_id == self.owner_id]
        return is_own if versions is None else [*is_own, Item.version.in_(versions)]

    async def _why_not(self, item_id: UUID) -> DomainError:
        await self.get(item_id)
        return PreconditionFailedError()
