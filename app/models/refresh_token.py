"""The refresh_tokens table: the family of tokens of each session, used ones included."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class RefreshToken(Identified, Base):
    """The hash of a refresh token. The row stays after its use, so that a replay is detected."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "session_id"))

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    used_at: Mapped[datetime | None]
    sealed_successor: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """The token that this one was exchanged for, encrypted with a key derived from this one."""
