"""A pooled connection and the transaction on it, both begun by the first statement."""

import asyncio
from collections.abc import Callable
from typing import cast

import asyncpg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.core.exceptions import DatabaseUnavailableError, InternalError
from app.db.errors import is_ending, raise_as_sqlalchemy
from app.db.pool import FifoPool

ROLLBACK_SECONDS = 0.3
BEGIN_READ_ONLY = "BEGIN READ ONLY"
DATABASE_ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server closes a connection that is being opened
    TimeoutError,
)
"""The exceptions that a statement can raise; TimeoutError is the timeout of the client."""


class Transaction:
    """Takes a connection from a pool when the first statement needs one, and returns it when the transaction ends.

    BEGIN and COMMIT are sent here, on connections that SQLAlchemy treats as AUTOCOMMIT. So statements of SQLAlchemy and
    statements that asyncpg runs directly share one transaction, and the response to COMMIT is checked.
    """

    def __init__(
        self, engine: Engine, begin: str, *, fallback: Callable[[], Engine] | None = None, can_borrow: bool = False
    ) -> None:
        """Use connections of this engine; `begin` is the statement that begins a transaction.

        With `can_borrow` a single statement needs no transaction: the server keeps the connection read-only.

        If the engine cannot connect, `fallback` is called, and the engine that it returns is used instead.
        """
        self._engine = engine
        self._fallback = fallback
        self.can_borrow = can_borrow
        self._begin = begin
        self._pooled: PoolProxiedConnection | None = None
        self._core: Connection | None = None
        self.is_committing = self.has_committed = False
        """Whether a COMMIT was sent, and whether one has succeeded."""
        self.driver: asyncpg.Connection
        """The connection of asyncpg, after `take` or `begin`."""

    @property
    def is_open(self) -> bool:
        """Whether a connection is in use."""
        return self._pooled is not None

    async def begin(self) -> None:
        """Take a connection and begin a transaction, unless that was done."""
        if self._pooled is not None:
            return
        await self.take()
        try:
            await self.driver.execute(self._begin)
        except BaseException as error:
            # Without a transaction each statement would commit by itself.
            self.invalidate_if_lost(error)
            self.driver.terminate()
            await self.release()
            raise

    async def take(self) -> None:
        """Take a connection without a transaction, for one statement in autocommit mode."""
        try:
            self._pooled = await greenlet_spawn(self._engine.raw_connection)
        except DatabaseUnavailableError:
            if self._fallback is None:
                raise
            self._engine, self._fallback = self._fallback(), None
            self._pooled = await greenlet_spawn(self._engine.raw_connection)
        self.driver = cast("asyncpg.Connection", self._pooled.driver_connection)

    async def connect(self) -> Connection:
        """Return the connection of SQLAlchemy Core, in the transaction."""
        await self.begin()
        if self._core is None:
            self._core = Connection(self._engine, self._pooled)
        return self._core

    async def commit(self) -> None:
        """Commit and return the connection; raise InternalError if PostgreSQL has rolled back instead."""
        if self._pooled is None:
            return
        self.is_committing = True
        try:
            status = await self.driver.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001  raised again, as SQLAlchemy would
            self.invalidate_if_lost(error)
            if not isinstance(error, asyncpg.PostgresError):
                self.driver.terminate()
            await self.release()
            raise_as_sqlalchemy(error, "COMMIT", is_lost=False)
        await self.release()
        if status != "COMMIT":
            # PostgreSQL answers ROLLBACK when a statement has failed and its error was swallowed.
            raise InternalError
        self.is_committing, self.has_committed = False, True

    async def rollback(self) -> None:
        """Roll back and return the connection; close it if the server does not respond in time."""
        if self._pooled is None:
            return
        try:
            async with asyncio.timeout(ROLLBACK_SECONDS):
                await self.driver.execute("ROLLBACK")
        except (*DATABASE_ERRORS, OSError):
            self.driver.terminate()
        except BaseException:  # Cancelled a second time.
            self.driver.terminate()
            raise
        finally:
            await self.release()

    async def release(self) -> None:
        """Return the connection to the pool as it is."""
        pooled, core = self._pooled, self._core
        self._pooled = self._core = None
        if core is not None:
            await greenlet_spawn(core.close)
        elif pooled is not None:
            pooled.close()

    def invalidate_if_lost(self, error: BaseException) -> bool:
        """Return whether the connection is lost; if so, invalidate all connections of the pool."""
        read_only = self._begin == BEGIN_READ_ONLY
        is_lost = self._pooled is not None and (self.driver.is_closed() or is_ending(error, read_only=read_only))
        if is_lost:
            cast("FifoPool", self._engine.pool).expire()
        return is_lost
