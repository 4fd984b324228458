"""The sessions table: one row a login, which everything that was granted with it depends on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class UserSession(Identified, Base):
    """A login. Deleting the row revokes its refresh tokens and every access token that names it, at once."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    """When tokens were granted last; reading a page does not write a row."""
    expires_at: Mapped[datetime]
    """The end, however much it is used."""
    user_agent: Mapped[str | None] = mapped_column(String(400))
    ip_address: Mapped[str | None] = mapped_column(String(45))
