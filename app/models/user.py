"""The users table."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Select, String, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core.refusals import EmailTakenError
from app.db.base import Base, Identified, Timestamped
from app.db.prepared import Prepared


class Role(StrEnum):
    """What an account may do: its own things, or everyone's."""

    USER = "user"
    ADMIN = "admin"


class User(Identified, Timestamped, Base):
    """An account. The e-mail address is stored case-folded, so that unique means unique."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email", info={"error": EmailTakenError}),
        CheckConstraint("role IN ('user', 'admin')", name="role"),
        Index(None, "created_at", "id"),
    )

    email: Mapped[str] = mapped_column(String(254))
    hashed_password: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20), server_default=Role.USER)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    is_verified: Mapped[bool] = mapped_column(server_default="false")


class UserRow(NamedTuple):
    """What may be shown of an account: everything but the hash of its password."""

    id: UUID
    email: str
    full_name: str | None
    role: str
    is_active: bool
    is_verified: bool
    created_at: datetime
    updated_at: datetime


USER_COLUMNS = [User.__table__.c[name] for name in UserRow._fields]
USERS = select(*USER_COLUMNS)
"""Accounts as they may be shown."""
USER = Prepared(USERS.where(User.id == bindparam("user_id")), UserRow)
"""One of them."""


def lock_active_administrators() -> Select[UUID]:
    """Select and lock them, always in the same order."""
    return select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id).with_for_update()
