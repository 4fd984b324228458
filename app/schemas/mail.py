"""Mail jobs. They name accounts, not tokens: the link is made when the mail is written."""

from typing import ClassVar
from uuid import UUID

from app.db.queue import JobPayload


class SendVerifyEmailMail(JobPayload):
    """Ask whoever has registered to confirm the address."""

    kind: ClassVar[str] = "send_verify_email_mail"
    user_id: UUID


class SendChangeEmailMail(JobPayload):
    """Ask at the new address whether the account may move there."""

    kind: ClassVar[str] = "send_change_email_mail"
    user_id: UUID
    email: str


class SendEmailChangeNotice(JobPayload):
    """Tell the old address that somebody wants to move the account."""

    kind: ClassVar[str] = "send_email_change_notice"
    user_id: UUID


class SendResetPasswordMail(JobPayload):
    """Send a link to reset the password, if there is such an account."""

    kind: ClassVar[str] = "send_reset_password_mail"
    email: str
