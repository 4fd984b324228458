"""Mail jobs."""

from typing import ClassVar

from app.db.queue import JobPayload


class SendWelcomeMail(JobPayload):
    """Welcome somebody who has registered."""

    kind: ClassVar[str] = "send_welcome_mail"
    email: str
    full_name: str | None
