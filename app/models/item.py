"""The items table: the exemplary resource."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Row, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, Timestamped


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
ITEM_COLUMNS = (
    Item.id,
    Item.owner_id,
    Item.title,
    Item.description,
    Item.created_at,
    Item.updated_at,
    Item.version,
)


def select_items(owner_id: UUID) -> Select[UUID, UUID, str, str | None, datetime, datetime, int]:
    """Select the items of one owner."""
    return select(*ITEM_COLUMNS).where(Item.owner_id == owner_id)
