"""The security log: events of accounts, with the request id and without secrets."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

log = structlog.get_logger("app.security")
Fact = str | bool | None
BUFFERED_EVENTS = 10_000


class SecurityEvent(StrEnum):
    """The events. Alerts and audits depend on their names."""

    LOGIN_SUCCEEDED = "login_succeeded"
    LOGIN_FAILED = "login_failed"
    LOGIN_LIMITED = "login_limited"
    ACCESS_DENIED = "access_denied"
    TOKEN_REPLAYED = "token_replayed"  # noqa: S105  no token
    SESSION_REVOKED = "session_revoked"
    SESSIONS_REVOKED = "sessions_revoked"
    SESSION_REFRESHED = "session_refreshed"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_DELETED = "account_deleted"
    EMAIL_VERIFIED = "email_verified"
    ACCOUNTS_READ = "accounts_read"
    """An administrator has read the account of another user, or a page of all accounts."""
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  no password
    PASSWORD_RESET = "password_reset"  # noqa: S105  no password
    RESET_REQUESTED = "reset_requested"
    """An administrator has requested a mail that resets a password."""
    RESET_LIMITED = "reset_limited"
    LINK_REFUSED = "link_refused"
    """An invalid or expired link from a mail was used."""
    JOB_REQUEUED = "job_requeued"
    JOB_CANCELLED = "job_cancelled"
    PASSWORD_INCORRECT = "password_incorrect"  # noqa: S105  no password


STORED_EVENTS = tuple(
    event for event in SecurityEvent if event not in (SecurityEvent.SESSION_REFRESHED, SecurityEvent.LOGIN_LIMITED)
)
"""The others would be most of the table: refreshes, and attempts above the limits, which anyone can make."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is not yet in the table."""

    event: SecurityEvent
    account_id: UUID | None
    facts: dict[str, Fact]
    request_id: str | None
    id: UUID = field(default_factory=uuid7)
    happened_at: datetime = field(default_factory=lambda: datetime.now(UTC))


waiting: deque[RecordedEvent] = deque(maxlen=BUFFERED_EVENTS)
"""Events that wait to be stored, the oldest first; above BUFFERED_EVENTS those are dropped. All have been logged."""


def record(event: SecurityEvent, *, user_id: UUID | None = None, **facts: Fact) -> None:
    """Log an event, and keep it for the table; `user_id` is the account it is about, or whose action it was."""
    log.info(str(event), account_id=str(user_id) if user_id else None, **facts)
    if event in STORED_EVENTS:
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        waiting.append(RecordedEvent(event, user_id, facts, request_id))
