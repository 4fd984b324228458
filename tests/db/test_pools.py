"""Connections, their pools, and the replica."""

import asyncio

import pytest
from sqlalchemy import select, text

from app.core.config import Settings
from app.core.exceptions import (
    DatabaseUnavailableError,
    OverloadedError,
)
from app.db.database import Database
from app.models.user import User
from tests.conftest import make_settings
from tests.db.test_session import read, write
from tests.queries import ReadOnly


async def test_no_server_is_a_clear_error() -> None:
    """This includes refused connections."""
    database = Database(make_settings("postgresql://127.0.0.1:1/app"))
    for run in (write, read):
        with pytest.raises(DatabaseUnavailableError):
            await run(database, "SELECT 1")
    await database.dispose()


async def test_who_waits_too_long_for_a_connection_is_refused(settings: Settings) -> None:
    """The wait for a connection is bounded; reads have a separate pool."""
    changes = {"database_pool_size": 1, "database_pool_timeout_seconds": 0.05}
    database = Database(settings.model_copy(update=changes))
    async with database.unit_of_work() as holder:
        await holder.execute(text("SELECT 1"))
        with pytest.raises(OverloadedError):
            await write(database, "SELECT 1")
        await read(database, "SELECT 1")
    await database.dispose()


async def test_connections_are_given_in_the_order_of_asking(settings: Settings) -> None:
    """A task that asks again waits behind those that wait already."""
    database = Database(settings.model_copy(update={"database_pool_size": 1}))
    served: list[int] = []

    async def use(number: int, times: int) -> None:
        for _ in range(times):
            session = ReadOnly(database)
            await session.execute(text("SELECT 1"))
            served.append(number)

    await asyncio.gather(*(use(number, times=3) for number in range(20)))
    assert served == [*range(20)] * 3
    await database.dispose()


async def test_only_a_session_that_asks_for_the_replica_reads_from_it(settings: Settings, database: Database) -> None:
    """All others read from the primary, so that everyone reads their own writes."""
    del database
    replica = Database(
        settings.model_copy(
            update={
                "database_url": make_settings("postgresql://127.0.0.1:1/app").database_url,
                "database_replica_url": settings.database_url,
            }
        )
    )
    async with replica.read_only(replica=True) as db:
        assert (await db.scalars(select(User.email))).all() == []
    for run in (read, write):
        with pytest.raises(DatabaseUnavailableError):
            await run(replica, "SELECT 1")
    await replica.dispose()


async def test_the_primary_answers_for_a_replica_that_is_down(
    settings: Settings, database: Database, logs: pytest.LogCaptureFixture
) -> None:
    """It is logged once, and the replica is not tried for each request."""
    del database
    gone = make_settings("postgresql://127.0.0.1:1/app").database_url
    replica = Database(settings.model_copy(update={"database_replica_url": gone}))
    for _ in range(3):
        async with replica.read_only(replica=True) as db:
            assert (await db.scalars(select(User.email))).all() == []
    await replica.dispose()
    assert len([record for record in logs.records if "replica unavailable" in str(record.msg)]) == 1
