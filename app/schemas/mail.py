"""Mail jobs. They name accounts, not tokens: a link is issued when its mail is written."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from app.db.queue import JobPayload


class SendVerifyEmailMail(JobPayload):
    """Send the link that verifies the address of a new account."""

    kind: ClassVar[str] = "send_verify_email_mail"
    user_id: UUID


class SendChangeEmailMail(JobPayload):
    """Send the link that confirms a new address, to that address."""

    kind: ClassVar[str] = "send_change_email_mail"
    user_id: UUID
    # The one-time token of the request. The mail is not sent if that token was invalidated.
    request_id: UUID
    email: str


class SendResetPasswordMail(JobPayload):
    """Send a link to reset the password, if there is such an account."""

    kind: ClassVar[str] = "send_reset_password_mail"
    email: str


class AccountNotice(StrEnum):
    """Events that the owner of an account, or of an address, is notified of."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105  not a password
    PASSWORD_RESET = "password_reset"  # noqa: S105  not a password
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_EXISTS = "account_exists"
    """Someone tried to register, or to change an address, with the address of an existing account."""
    LOGIN_ATTEMPTS = "login_attempts"
    """Too many failed logins; the mail has a link that resets the password."""


class SendAccountNotice(JobPayload):
    """Notify an address of an event. The account may not exist any more."""

    kind: ClassVar[str] = "send_account_notice"
    email: str
    notice: AccountNotice
