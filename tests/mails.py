"""Mails that the service has sent in a test."""

import re
from email.message import EmailMessage

from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from app.jobs.kinds import Resources
from app.jobs.runner import JobRunner, make_resources
from tests.jobs.conftest import run_until
from tests.queries import ReadOnly

TOKEN = re.compile(r"#token=([\w-]+)")


class Outbox:
    """Runs the pending jobs and collects their mails, as the mailer of that worker."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.database = database
        self.messages: list[EmailMessage] = []
        real = make_resources(settings, database)
        self.resources = Resources(real.settings, real.database, self, real.messages)

    async def send(self, message: EmailMessage) -> None:
        """Collect a mail."""
        self.messages.append(message)

    async def deliver(self) -> list[EmailMessage]:
        """Run all pending jobs; return their mails."""
        self.messages.clear()

        async def is_done() -> bool:
            session = ReadOnly(self.database)
            waiting: int | None = await session.scalar(text("SELECT count(*) FROM pgqueuer"))
            return waiting == 0

        await run_until(JobRunner(self.resources, schedules=()), is_done)
        return list(self.messages)

    async def token_to(self, address: str) -> str:
        """Deliver, and return the token of the one mail with a link to this address."""
        found = [TOKEN.search(body(message)) for message in await self.deliver() if message["To"] == address]
        [token] = [match[1] for match in found if match]
        return token


def body(message: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = message.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content
