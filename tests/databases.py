"""Databases of a test run."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.core.database_url import to_dsn
from app.db.database import Database

FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 200")
# One statement, because it checks foreign keys at its end. TRUNCATE takes 60 ms on some disks, and this less than 1 ms.
DELETE_EVERYTHING = (
    "SELECT 'WITH ' || string_agg(format('%I AS (DELETE FROM %I)', 'deleted_' || tablename, tablename), ', ') "
    "|| ' SELECT' FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)


def check_test_database(url: str) -> str:
    """Refuse a database whose name does not contain `test`, because tests delete its contents."""
    name = urlsplit(url).path.lstrip("/")
    if "test" not in name:
        pytest.exit(f"TEST_DATABASE_URL names the database {name!r}; the tests want one with 'test' in its name", 2)
    return to_dsn(url)


class DatabaseMaker:
    """Creates databases on the server that the URL names."""

    def __init__(self, server_dsn: str, worker_id: str) -> None:
        self.server_dsn = server_dsn
        self.prefix = f"{urlsplit(server_dsn).path.lstrip('/')}_{worker_id}"
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
    """Delete the rows of all tables."""
    async with database.engine.begin() as connection:
        statement = (await connection.exec_driver_sql(DELETE_EVERYTHING)).scalar_one()
        await connection.exec_driver_sql(statement)


async def end_connections(database: Database) -> None:
    """End all connections to the database, as a restart would."""
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    await database.dispose()
