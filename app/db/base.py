"""The declarative base of all models."""

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, MetaData, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


LIKE_ESCAPE = "/"


def escape_like(value: str) -> str:
    """Escape the wildcards of LIKE, for `column.icontains(value, escape=LIKE_ESCAPE)`."""
    return re.sub(r"[/%_]", lambda match: LIKE_ESCAPE + match[0], value)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations and error mapping can rely on the names."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  SQLAlchemy reads it from the class
    # INSERT and UPDATE return what the database computed; `refresh` would be a second round trip.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012


class Identified:
    """A UUIDv7 key, made by the application: in the order of creation, without a sequence."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class Timestamped:
    """When a row was created and last changed, by the clock of the database."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Versioned:
    """A version that each UPDATE increments, for entity tags and conditional changes."""

    version: Mapped[int] = mapped_column(server_default="1", onupdate=text("version + 1"))
