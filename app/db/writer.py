"""Writing: statements in one transaction, on a connection that is taken with the first of them."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Connection, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.core.exceptions import InternalError
from app.db.prepared import Parameters, Prepared
from app.db.reader import DATABASE_FAULTS, AnyResult, Reader, forget_if_lost

ROLLBACK_SECONDS = 0.3
Committed = Callable[[set[UUID]], None]
"""Called after a commit with the accounts and sessions whose access has changed."""


class Writer(Reader):
    """A unit of work: all of it is committed, or nothing. It reads as well; a Reader never writes.

    On Core, like the reader: an AsyncSession takes twice the CPU. Who wants entities gets one from `orm`. BEGIN and
    COMMIT are sent here, because for everything else the connection commits by itself: changing that for each use
    costs as much as a statement.
    """

    def __init__(self, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession], committed: Committed) -> None:
        """Prepare; nothing connects before the first statement."""
        self._engine = engine
        self._sessions = sessions
        self._committed = committed
        self._pooled: PoolProxiedConnection | None = None
        self._core: Connection | None = None
        self._orm: AsyncSession | None = None
        self._changed: set[UUID] = set()
        self.pending_jobs: list[Any] = []
        """What `enqueue` has handed over."""

    async def _run(self, statement: Executable, params: Parameters | None) -> AnyResult:
        return await greenlet_spawn((await self._open_core()).execute, statement, params)

    async def _run_prepared(self, statement: Prepared[Any], arguments: list[Any]) -> list[asyncpg.Record]:
        await self._begin()
        return await statement.run(self._driver, arguments)

    async def execute_driver_sql(self, query: str, arguments: tuple[object, ...]) -> AnyResult:
        """Run what a library has written for PostgreSQL, with its `$1`."""
        return await greenlet_spawn((await self._open_core()).exec_driver_sql, query, arguments)

    async def orm(self) -> AsyncSession:
        """Give a session of the ORM in the same transaction. It is flushed before the commit; it never commits."""
        if self._orm is None:
            self._orm = self._sessions(bind=AsyncConnection(self._engine, await self._open_core()))
        return self._orm

    def access_changed(self, *ids: UUID) -> None:
        """Note accounts or sessions whose access changes; the cache of this process drops them after the commit."""
        self._changed.update(ids)

    async def flush(self) -> None:
        """Send what the session of the ORM holds back."""
        if self._orm is not None:
            await self._orm.flush()

    async def commit(self) -> None:
        """Commit, and give the connection back. What follows is another transaction."""
        await self.flush()
        if self._pooled is None:
            return
        if await self._driver.execute("COMMIT") != "COMMIT":
            # PostgreSQL's answer to COMMIT after an error, which somebody must have swallowed.
            raise InternalError
        await self._close()
        changed, self._changed = self._changed, set()
        if changed:
            self._committed(changed)

    def is_lost(self, error: BaseException) -> bool:
        """Return whether an error has cost the connection of this unit of work."""
        return self._pooled is not None and forget_if_lost(self._engine.sync_engine, self._driver, error)

    async def abandon(self) -> None:
        """Roll back; where the server does not answer to that either, drop the connection and go on."""
        if self._pooled is None:
            return
        try:
            async with asyncio.timeout(ROLLBACK_SECONDS):
                await self._driver.execute("ROLLBACK")
        except (*DATABASE_FAULTS, OSError):
            self._driver.terminate()
        except BaseException:  # Cancelled once more.
            self._driver.terminate()
            raise
        finally:
            await self._close()

    async def _begin(self) -> None:
        if self._pooled is None:
            self._pooled = await greenlet_spawn(self._engine.sync_engine.raw_connection)
            self._driver = cast("asyncpg.Connection", self._pooled.driver_connection)
            await self._driver.execute("BEGIN")

    async def _open_core(self) -> Connection:
        await self._begin()
        if self._core is None:
            self._core = Connection(self._engine.sync_engine, self._pooled)
        return self._core

    async def _close(self) -> None:
        if self._core is not None:
            await greenlet_spawn(self._close_core, self._core)
        elif self._pooled is not None:
            self._pooled.close()
        self._pooled = self._core = self._orm = None

    def _close_core(self, core: Connection) -> None:
        if self._orm is not None:
            self._orm.sync_session.close()
        core.close()
