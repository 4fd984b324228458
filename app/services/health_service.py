"""Whether the process can serve."""

import asyncio

from app.core.exceptions import DomainError
from app.db.session import DATABASE_FAULTS, Database
from app.schemas.health import ReadinessRead

CHECK_TIMEOUT_SECONDS = 0.8


class HealthService:
    """Checks the parts that no request can do without. However many ask at once, one check is made for all."""

    def __init__(self, database: Database) -> None:
        """Check this database; lives as long as the process."""
        self._database = database
        self._checking: asyncio.Task[bool] | None = None

    async def check(self) -> ReadinessRead:
        """Try each part; the answer comes within a second whatever happens."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._database_answers())
        # Shielded: a prober that hangs up must not cancel the check of the others.
        database = await asyncio.shield(self._checking)
        return ReadinessRead(
            status="ok" if database else "unavailable",
            checks={"database": "ok" if database else "unavailable"},
        )

    async def _database_answers(self) -> bool:
        ping = asyncio.create_task(self._database.ping())
        done, _ = await asyncio.wait({ping}, timeout=CHECK_TIMEOUT_SECONDS)
        if not done:
            ping.cancel()  # Not waited for: with a server that is frozen this may take as long as it likes.
            return False
        try:
            ping.result()
        except (DomainError, *DATABASE_FAULTS):
            return False
        return True
