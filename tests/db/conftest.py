"""Databases for tests of the data layer."""

from collections.abc import AsyncIterator

import pytest

from app.core.config import Settings
from app.db.database import Database
from tests.db.samples import Base


@pytest.fixture
async def single(settings: Settings, database: Database) -> AsyncIterator[Database]:
    """A database with pools of one connection."""
    del database  # emptied after the test
    single = Database(settings.model_copy(update={"database_pool_size": 1, "database_pool_timeout_seconds": 0.2}))
    yield single
    await single.dispose()


@pytest.fixture
async def samples(database: Database) -> Database:
    """The database with the tables of the tests in this directory."""
    # They are not dropped, because connections have prepared statements for them.
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    return database
