"""The database of the service with notes."""

import asyncio

from app.core.config import Settings
from app.db.database import Database
from app.db.migrations import upgrade
from tests.notes.model import create_tables


def migrate(settings: Settings) -> None:
    """Upgrade the database and add the table of the notes. It must not be called while an event loop runs."""
    upgrade(settings)
    asyncio.run(_create_tables(settings))


async def _create_tables(settings: Settings) -> None:
    database = Database(settings)
    async with database.engine.begin() as connection:
        await connection.run_sync(create_tables)
    await database.dispose()
