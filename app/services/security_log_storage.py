"""Write the events of this process to the table of the security log, in batches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import islice

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.core.background import in_background
from app.core.exceptions import DomainError
from app.db.database import Database
from app.db.transaction import DATABASE_ERRORS
from app.models.security_log import SecurityLogEntry
from app.observability.security_log import waiting

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
LARGEST_BATCH = 1000


@asynccontextmanager
async def storing_events(database: Database, days: int) -> AsyncIterator[None]:
    """Write events during a block, once a second and at its end, to be kept for `days`; with 0 none is written.

    A process that is killed loses the rows of its last second, never their log lines.
    """
    async with in_background(_store_forever(database, days)):
        yield
    await store_waiting(database, days)


async def _store_forever(database: Database, days: int) -> None:
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        await store_waiting(database, days)


async def store_waiting(database: Database, days: int) -> None:
    """Write one batch. While the database is unavailable its events wait."""
    batch = list(islice(waiting, LARGEST_BATCH))
    if batch and days:
        rows = [{**asdict(event), "expires_at": event.happened_at + timedelta(days=days)} for event in batch]
        try:
            async with database.unit_of_work() as db:
                # An interrupted attempt may have stored them.
                await db.execute(insert(SecurityLogEntry).on_conflict_do_nothing(), rows)
        except (DomainError, *DATABASE_ERRORS) as error:
            log.warning("security log not stored", error=repr(error), waiting=len(waiting))
            return
    stored = {event.id for event in batch}
    while waiting and waiting[0].id in stored:
        waiting.popleft()
