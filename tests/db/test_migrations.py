"""The migrations."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.database import Database
from app.db.migrations import alembic_config, upgrade
from app.db.queue import SessionDriver
from tests.conftest import make_settings
from tests.databases import DatabaseMaker
from tests.queries import ReadOnly


async def schema_of(database: Database) -> set[str]:
    """Return every column, constraint and index."""
    queries = (
        "SELECT table_name || column_name || data_type FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conname::text FROM pg_constraint",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT tgname || tgrelid::regclass || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    session = ReadOnly(database)
    return {row for query in queries for row in await session.scalars(text(query))}


async def test_every_step_can_be_undone_and_done_again(new_database: DatabaseMaker) -> None:
    """A downgrade leaves Alembic's table only, and an upgrade gives the same schema again."""
    settings = make_settings(await new_database.make())
    config, database = alembic_config(settings), Database(settings)
    await asyncio.to_thread(upgrade, settings)
    first = await schema_of(database)
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    for _ in revisions:
        await asyncio.to_thread(command.downgrade, config, "-1")
        await asyncio.to_thread(command.upgrade, config, "+1")
        await asyncio.to_thread(command.downgrade, config, "-1")
    session = ReadOnly(database)
    tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    assert list(tables) == ["alembic_version"]
    await asyncio.to_thread(upgrade, settings)
    assert await schema_of(database) == first
    await database.dispose()


async def test_models_and_migrations_agree(new_database: DatabaseMaker) -> None:
    """`alembic check` finds nothing to do."""
    settings = make_settings(await new_database.make())
    await asyncio.to_thread(upgrade, settings)
    await asyncio.to_thread(command.check, alembic_config(settings))


async def test_the_job_queue_has_the_tables_that_its_library_wants(database: Database) -> None:
    """A new version of pgqueuer with other tables needs a migration."""
    async with database.unit_of_work() as session:
        plan = await Queries(SessionDriver(session)).plan_upgrade()
    assert list(plan.statements) == []


async def test_eight_concurrent_migrations_all_succeed(new_database: DatabaseMaker) -> None:
    """They wait for each other."""
    dsn = await new_database.make()
    environment = {**os.environ, "DATABASE_URL": dsn, "PYTHONPATH": str(PROJECT_ROOT)}
    arguments = (sys.executable, "-m", "app", "migrate")
    migrators = [
        await asyncio.create_subprocess_exec(*arguments, env=environment, stdout=asyncio.subprocess.DEVNULL)
        for _ in range(8)
    ]
    assert [await migrator.wait() for migrator in migrators] == [0] * 8


REVISIONS = sorted(script.revision for script in ScriptDirectory(str(PROJECT_ROOT / "migrations")).walk_revisions())
WITH_FOREIGN_KEY = "0004"
"""It makes a table that refers to users."""


@asynccontextmanager
async def stuck_at_the_end(database: Database) -> AsyncIterator[None]:
    """Block each migration when it writes its version, after all its other statements."""
    async with database.unit_of_work() as session:
        await session.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
        yield


async def prepare(new_database: DatabaseMaker, revision: str) -> tuple[Settings, Database]:
    """Create a database that is migrated to the previous revision."""
    changes = {"database_migration_timeout_seconds": 0.1, "database_idle_timeout_seconds": 60}
    settings = make_settings(await new_database.make(), **changes)
    database = Database(settings)
    async with database.unit_of_work() as session:
        await session.execute(text("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"))
    before = REVISIONS[: REVISIONS.index(revision)]
    if before:
        await asyncio.to_thread(upgrade, settings, before[-1])
    return settings, database


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_migration_that_fails_leaves_nothing(new_database: DatabaseMaker, revision: str) -> None:
    """The next run succeeds."""
    settings, database = await prepare(new_database, revision)
    before = await schema_of(database)
    async with stuck_at_the_end(database):
        with pytest.raises(DBAPIError, match="lock timeout"):
            await asyncio.to_thread(upgrade, settings, revision)
    assert await schema_of(database) == before
    await asyncio.to_thread(upgrade, settings)
    await database.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_migration_that_is_killed_leaves_nothing(new_database: DatabaseMaker, revision: str) -> None:
    """The next run succeeds."""
    settings, database = await prepare(new_database, revision)
    before = await schema_of(database)
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    async with stuck_at_the_end(database):
        migrator = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "migrate", revision), env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'relation'"
        )
        while not await ReadOnly(database).scalar(waits):  # noqa: ASYNC110  only the database knows
            await asyncio.sleep(0.01)
        migrator.kill()
        await migrator.wait()
    assert await schema_of(database) == before
    await asyncio.to_thread(upgrade, settings)
    await database.dispose()


async def test_requests_get_through_between_the_attempts_of_a_migration(new_database: DatabaseMaker) -> None:
    """A migration waits one second at a time for a table in use."""
    settings, database = await prepare(new_database, WITH_FOREIGN_KEY)
    patient = settings.model_copy(update={"database_migration_timeout_seconds": 30.0})
    requests, write = Database(settings), text("UPDATE users SET full_name = 'x'")
    async with database.unit_of_work() as writer:
        await writer.execute(write)  # A new foreign key waits for it, and further writes wait for that.
        migrating = asyncio.create_task(asyncio.to_thread(upgrade, patient))
        for _ in range(4):
            async with requests.unit_of_work() as db:
                await db.execute(write)
            await asyncio.sleep(0.5)
        assert not migrating.done()
    await migrating
    await requests.dispose()
    await database.dispose()
