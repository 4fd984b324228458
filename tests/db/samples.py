"""Tables for tests of the data layer, with a column of each kind."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Enum, ForeignKey, MetaData, Numeric, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from app.db.database import Database


class Colour(enum.Enum):
    """A type whose values are converted in both directions."""

    RED = "red"
    BLUE = "blue"


class Base(DeclarativeBase):
    """A base with its own metadata, separate from the models of the application."""

    metadata = MetaData()


class Sample(Base):
    """A row with an array, an enum, JSON and defaults."""

    __tablename__ = "samples"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(100))
    note: Mapped[str | None]
    colour: Mapped[Colour] = mapped_column(Enum(Colour), default=Colour.RED)
    tags: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    weight: Mapped[int] = mapped_column(default=1)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    ratio: Mapped[float | None]
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    parts: Mapped[list["Part"]] = relationship(order_by="Part.number")


class Part(Base):
    """A part of a sample, with a composite key."""

    __tablename__ = "parts"

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


async def fill(database: Database, *rows: dict[str, Any]) -> list[UUID]:
    """Insert samples; return their ids."""
    async with database.unit_of_work() as db:
        made = [Sample(**row) for row in rows]
        db.add_all(made)
        await db.flush()
        return [sample.id for sample in made]
