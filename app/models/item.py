"""The items table: the exemplary resource."""

from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Row, Select, String, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import LIKE_ESCAPE, Base, Identified, Timestamped


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


CONDITIONS = {
    "title": Item.title.icontains(bindparam("title"), escape=LIKE_ESCAPE),
    "created_after": Item.created_at > bindparam("created_after"),
    "created_before": Item.created_at < bindparam("created_before"),
}
ItemRow = Row[UUID, UUID, str, str | None, datetime, datetime, int]
ITEM_COLUMNS = (
    Item.id,
    Item.owner_id,
    Item.title,
    Item.description,
    Item.created_at,
    Item.updated_at,
    Item.version,
)


# Built once: putting a statement together costs as much as running it.
ITEMS = select(*ITEM_COLUMNS).where(Item.owner_id == bindparam("owner_id"))
"""The items of one owner."""
ITEM = ITEMS.where(Item.id == bindparam("item_id"))
"""One of them."""


@cache
def select_items(*conditions: str) -> Select[UUID, UUID, str, str | None, datetime, datetime, int]:
    """Select the items of one owner that meet some of `CONDITIONS`, whose parameters are named alike."""
    return ITEMS.where(*(CONDITIONS[name] for name in conditions))
