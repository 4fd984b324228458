"""The users table."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.refusals import EmailTakenError
from app.db.base import Base, Identified, Timestamped


class Role(StrEnum):
    """The role of an account."""

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
