"""The security log: events of accounts, with the request id and without secrets."""

from enum import StrEnum
from uuid import UUID

import structlog

log = structlog.get_logger("app.security")


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


def record(event: SecurityEvent, *, user_id: UUID | None = None, **facts: str | bool | None) -> None:
    """Log an event; `user_id` is the account it is about."""
    log.info(str(event), account_id=str(user_id) if user_id else None, **facts)
