"""The items table: the exemplary resource."""

from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.base import LIKE_ESCAPE, Base, Identified, Timestamped, table_column


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


ItemRow = Row[UUID, UUID, str, str | None, datetime, datetime, int]
TABLE = cast("Table", Item.__table__)
ID, OWNER, CREATED_AT = table_column(Item.id), table_column(Item.owner_id), table_column(Item.created_at)
TITLE, VERSION = table_column(Item.title), table_column(Item.version)
ITEM_COLUMNS = (
    ID,
    OWNER,
    TITLE,
    table_column(Item.description),
    CREATED_AT,
    table_column(Item.updated_at),
    VERSION,
)
CONDITIONS = {
    "title": TITLE.icontains(bindparam("title"), escape=LIKE_ESCAPE),
    "created_after": bindparam("created_after") < CREATED_AT,
    "created_before": bindparam("created_before") > CREATED_AT,
}
# Statements are built once, with parameters: putting one together costs as much as running it.
ITEMS = select(*ITEM_COLUMNS).where(bindparam("owner") == OWNER)
"""The items of one owner."""
ITEM = ITEMS.where(bindparam("item_id") == ID)
"""One of them."""
IS_ITEM = (bindparam("item_id") == ID, bindparam("owner") == OWNER)
INSERT_ITEM = insert(TABLE).returning(*ITEM_COLUMNS)
"""A new item, of the values that are given."""
DELETE_ITEM = delete(TABLE).where(*IS_ITEM).returning(ID)
"""The end of one."""


@cache
def update_item(*fields: str) -> ReturningUpdate[UUID, UUID, str, str | None, datetime, datetime, int]:
    """Change these columns of one item, to the parameters `new_` and their names; and its version."""
    changes: dict[str, Any] = {field.removeprefix("new_"): bindparam(field) for field in fields}
    changes |= {"version": VERSION + 1, "updated_at": func.now()}
    return update(TABLE).where(*IS_ITEM).values(changes).returning(*ITEM_COLUMNS)


@cache
def select_items(*conditions: str) -> Select[UUID, UUID, str, str | None, datetime, datetime, int]:
    """Select the items of one owner that meet some of `CONDITIONS`, whose parameters are named alike."""
    return ITEMS.where(*(CONDITIONS[name] for name in conditions))
