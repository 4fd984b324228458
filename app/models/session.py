"""The sessions table: one row for each login, on which its tokens depend."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class UserSession(Identified, Base):
    """A login. Deleting the row immediately revokes its refresh tokens and its access tokens."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    """When the last token was granted; other requests do not update it."""
    expires_at: Mapped[datetime]
    """The end of the session, even if it is used."""
    user_agent: Mapped[str | None] = mapped_column(String(400))
    ip_address: Mapped[str | None] = mapped_column(String(45))
