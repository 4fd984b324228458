"""Readiness checks."""

import asyncio

import structlog

from app.core.exceptions import DomainError
from app.db.database import Database
from app.db.transaction import DATABASE_ERRORS
from app.schemas.health import Condition, ReadinessRead

log = structlog.get_logger(__name__)

CHECK_TIMEOUT_SECONDS = 0.8


def _condition(is_up: bool) -> Condition:
    return "ok" if is_up else "unavailable"


class HealthService:
    """Checks the database. Concurrent callers share one check."""

    def __init__(self, database: Database) -> None:
        """Check this database."""
        self._database = database
        self._checking: asyncio.Task[bool] | None = None
        self._was_up = True
        self._is_draining = False

    def drain(self) -> None:
        """Report not ready from now on, because the process stops."""
        self._is_draining = True

    async def check(self) -> ReadinessRead:
        """Return the state of each part, within a second."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._database_answers())
        # Shielded: a client that disconnects must not cancel the check of others.
        is_up = {"database": await asyncio.shield(self._checking)}
        if self._is_draining:
            is_up["process"] = False
        checks = {part: _condition(up) for part, up in is_up.items()}
        return ReadinessRead(status=_condition(all(is_up.values())), checks=checks)

    async def _database_answers(self) -> bool:
        ping = asyncio.create_task(self._database.ping())
        done, _ = await asyncio.wait({ping}, timeout=CHECK_TIMEOUT_SECONDS)
        if not done:
            ping.cancel()  # Not awaited: a frozen server may never respond.
            return self._note(f"no answer within {CHECK_TIMEOUT_SECONDS} s")
        try:
            ping.result()
        except DomainError as error:
            return self._note(error.reason or error.detail)
        except DATABASE_ERRORS as error:
            return self._note(repr(error))
        return self._note(None)

    def _note(self, error: str | None) -> bool:
        """Log each change between available and unavailable, once."""
        is_up = error is None
        if is_up != self._was_up:
            self._was_up = is_up
            if is_up:
                log.info("database available")
            else:
                log.warning("database unavailable", reason=error)
        return is_up
