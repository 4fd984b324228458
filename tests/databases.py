"""Databases of a test run."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.core.database_url import to_dsn
from app.db.database import Database

FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 200")
TABLES = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def check_test_database(url: str) -> str:
    """Refuse a database whose name does not contain `test`, because tests delete its contents."""
    name = urlsplit(url).path.lstrip("/")
    if "test" not in name:
        pytest.exit(f"TEST_DATABASE_URL names the database {name!r}; the tests want one with 'test' in its name", 2)
    return to_dsn(url)


class DatabaseMaker:
    """Creates databases on the server that the URL names."""

    def __init__(self, server_dsn: str, suffix: str) -> None:
        self.server_dsn = server_dsn
        self.prefix = f"{urlsplit(server_dsn).path.lstrip('/')}_{suffix}"
        self.names: list[str] = []

    async def make(self, template: str = "template1") -> str:
        """Create a database and return its URL."""
        name = f"{self.prefix}_{len(self.names)}"
        await self._execute(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self.names.append(name)
        return urlunsplit(urlsplit(self.server_dsn)._replace(path=f"/{name}"))

    async def drop_all(self) -> None:
        """Drop every database that was created."""
        await self._execute(*(f'DROP DATABASE "{name}" WITH (FORCE)' for name in self.names))

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.server_dsn)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()


async def delete_everything(database: Database) -> None:
    """Delete the rows of all tables, after the transactions that write to them have ended.

    Not with TRUNCATE, which creates new files: 60 ms on some disks instead of 1 ms.
    """
    # A lock needs a transaction, and the engine commits each statement.
    engine = database.engine.execution_options(isolation_level="READ COMMITTED")
    async with engine.begin() as connection:
        tables = (await connection.exec_driver_sql(TABLES)).scalars().all()
        await connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE")
        # In one statement the order of the tables does not matter: foreign keys are checked at the end.
        deletions = [f"deleted_{number} AS (DELETE FROM {table})" for number, table in enumerate(tables)]  # noqa: S608  own tables
        await connection.exec_driver_sql(f"WITH {', '.join(deletions)} SELECT")


async def end_connections(database: Database) -> None:
    """End all connections to the database, as a restart would."""
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    await database.dispose()
