"""The migrations."""

import asyncio
import os
import sys

from alembic import command
from alembic.script import ScriptDirectory
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import text

from app.core.database_url import PROJECT_ROOT
from app.db.migrations import alembic_config, upgrade
from app.db.queue import SessionDriver
from app.db.session import Database
from tests.conftest import DatabaseMaker, make_settings


async def schema_of(database: Database) -> set[str]:
    """Every column, constraint and index."""
    queries = (
        "SELECT table_name || column_name || data_type FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT conname::text FROM pg_constraint",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    )
    session = database.reader()
    return {row for query in queries for row in await session.scalars(text(query))}


async def test_every_step_can_be_undone_and_done_again(new_database: DatabaseMaker) -> None:
    """Down leaves nothing but Alembic's own table, and up gives the same schema again."""
    settings = make_settings(await new_database.make())
    config, database = alembic_config(settings), Database(settings)
    await asyncio.to_thread(upgrade, settings)
    first = await schema_of(database)
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    for _ in revisions:
        await asyncio.to_thread(command.downgrade, config, "-1")
        await asyncio.to_thread(command.upgrade, config, "+1")
        await asyncio.to_thread(command.downgrade, config, "-1")
    session = database.reader()
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
    """A new version of pgqueuer that wants others needs a migration."""
    async with database.unit_of_work() as session:
        plan = await Queries(SessionDriver(session)).plan_upgrade()
    assert list(plan.statements) == []


async def test_eight_migrators_at_once_all_succeed(new_database: DatabaseMaker) -> None:
    """They wait for each other."""
    dsn = await new_database.make()
    environment = {**os.environ, "DATABASE_URL": dsn, "PYTHONPATH": str(PROJECT_ROOT)}
    arguments = (sys.executable, "-m", "app", "migrate")
    migrators = [
        await asyncio.create_subprocess_exec(*arguments, env=environment, stdout=asyncio.subprocess.DEVNULL)
        for _ in range(8)
    ]
    assert [await migrator.wait() for migrator in migrators] == [0] * 8
