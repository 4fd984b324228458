"""Whether the process can serve."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from app.core.exceptions import DomainError
from app.db.session import Database
from app.schemas.health import ReadinessRead

CHECK_TIMEOUT_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class HealthService:
    """Checks the parts that no request can do without."""

    database: Database

    async def check(self) -> ReadinessRead:
        """Try each part; the answer comes within a second whatever happens."""
        database = await self._database_answers()
        return ReadinessRead(
            status="ok" if database else "unavailable",
            checks={"database": "ok" if database else "unavailable"},
        )

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS), self.database.unit_of_work() as session:
                await session.execute(text("SELECT 1"))
        except (DomainError, TimeoutError):
            return False
        return True
