"""The items table: the exemplary resource."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Table,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import LIKE_ESCAPE, Base, Identified, Timestamped
from app.db.prepared import Prepared


class Item(Identified, Timestamped, Base):
    """Something with a title that belongs to one user. The indexes follow the orders it is listed in."""

    __tablename__ = "items"
    __table_args__ = (
        Index(None, "owner_id", "created_at", "id"),
        Index(None, "owner_id", "title", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(10_000))
    version: Mapped[int] = mapped_column(server_default="1")


class ItemRow(NamedTuple):
    """An item as it is read."""

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    version: int


TABLE = cast("Table", Item.__table__)
COLUMNS = [TABLE.c[name] for name in ItemRow._fields]
ID, TITLE, CREATED_AT = TABLE.c.id, TABLE.c.title, TABLE.c.created_at
CONDITIONS = {
    "title": TITLE.icontains(bindparam("title"), escape=LIKE_ESCAPE),
    "created_after": bindparam("created_after") < CREATED_AT,
    "created_before": bindparam("created_before") > CREATED_AT,
}
OWNED = bindparam("owner") == TABLE.c.owner_id
IS_ITEM = and_(bindparam("item_id") == ID, OWNED)
HAS_VERSION = TABLE.c.version == any_(bindparam("versions", type_=ARRAY(Integer)))

ITEM = Prepared(select(*COLUMNS).where(IS_ITEM), ItemRow)
"""One item of one owner."""
INSERT_ITEM = Prepared(insert(TABLE).returning(*COLUMNS), ItemRow, "id", "owner_id", "title", "description")
"""A new item."""


@cache
def select_items(*conditions: str) -> Select[*tuple[Any, ...]]:
    """Select the items of one owner that meet some of `CONDITIONS`, whose parameters are named alike."""
    return select(*COLUMNS).where(OWNED, *(CONDITIONS[name] for name in conditions))


@cache
def update_item(*fields: str, is_versioned: bool) -> Prepared[ItemRow]:
    """Change these columns of one item, to the parameters `new_` and their names, and its version."""
    changes: dict[str, Any] = {field: bindparam(f"new_{field}") for field in fields}
    changes |= {"version": TABLE.c.version + 1, "updated_at": func.now()}
    conditions = [IS_ITEM, HAS_VERSION] if is_versioned else [IS_ITEM]
    return Prepared(update(TABLE).where(*conditions).values(changes).returning(*COLUMNS), ItemRow)


@cache
def delete_item(*, is_versioned: bool) -> Prepared[ItemRow]:
    """Delete one item."""
    conditions = [IS_ITEM, HAS_VERSION] if is_versioned else [IS_ITEM]
    return Prepared(delete(TABLE).where(*conditions).returning(*COLUMNS), ItemRow)
