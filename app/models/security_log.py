"""The security_log table: events of accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class SecurityLogEntry(Identified, Base):
    """An event. `account_id` is no foreign key: entries remain when the account is deleted."""

    __tablename__ = "security_log"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "event", "id"), Index(None, "expires_at"))

    happened_at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(128))
    facts: Mapped[dict[str, str | bool | None]] = mapped_column(JSONB)
    """The other fields of the log line, such as `address` and `by`."""
    expires_at: Mapped[datetime]
