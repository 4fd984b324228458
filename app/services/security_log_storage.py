"""Store the events of this process in the table of the security log, in batches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import islice

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.core.background import in_background
from app.core.exceptions import DomainError, InternalError
from app.db.database import Database
from app.db.transaction import DATABASE_ERRORS
from app.models.security_log import SecurityLogEntry
from app.observability.security_log import RecordedEvent, waiting

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
LARGEST_BATCH = 1000


@asynccontextmanager
async def storing_events(database: Database, days: int) -> AsyncIterator[None]:
    """Store events every second while the block runs, and when it ends. Rows expire after `days`; 0 stores nothing.

    If the process is killed, the events of its last second are only in the log.
    """
    if not days:
        yield
        return
    try:
        async with in_background(_store_forever(database, days)):
            yield
    finally:
        await store_waiting(database, days)


async def _store_forever(database: Database, days: int) -> None:
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        await store_waiting(database, days)


async def store_waiting(database: Database, days: int) -> None:
    """Store all events that wait. They go on waiting if the database is unavailable."""
    while batch := list(islice(waiting, LARGEST_BATCH)):
        try:
            await _store(database, batch, timedelta(days=days))
        except InternalError:
            log.exception("security events are only in the log", count=len(batch))
        except (DomainError, OSError, *DATABASE_ERRORS) as error:
            log.warning("security events wait", error=repr(error), count=len(waiting))
            return
        stored = {event.id for event in batch}
        while waiting and waiting[0].id in stored:
            waiting.popleft()


async def _store(database: Database, batch: list[RecordedEvent], lifetime: timedelta) -> None:
    rows = [{**asdict(event), "expires_at": event.happened_at + lifetime} for event in batch]
    async with database.unit_of_work() as db:
        # An earlier attempt may have committed before its connection failed.
        await db.execute(insert(SecurityLogEntry).on_conflict_do_nothing(), rows)
