"""Engines, and the sessions on them."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from asyncpg.connect_utils import SessionAttribute
from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    create_async_engine,
)
from sqlalchemy.util import await_only

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.core.settings.database import Pooler
from app.db.connect import Connector
from app.db.cursors import Cursors
from app.db.errors import note_disconnect
from app.db.pool import FifoPool, PoolUsage
from app.db.queue import flush_jobs
from app.db.scopes import Reading, UnitOfWork
from app.db.session import Session
from app.db.tracing import trace_statements
from app.db.transaction import BEGIN_READ_ONLY, Transaction

log = structlog.get_logger(__name__)

PREPARED_STATEMENTS = 100
"""Prepared statements of SQLAlchemy that a connection caches; asyncpg caches its own."""


REPLICA_PAUSE_SECONDS = 5.0
"""How long the primary replaces a replica that could not be reached."""


def make_engine(settings: Settings, connector: Connector) -> AsyncEngine:
    """Return an engine whose pool has at most `DATABASE_POOL_SIZE` connections.

    No pre-ping (one round trip per checkout): requests that hit a dead connection are retried.
    """

    def create() -> DBAPIConnection:
        # `creator`, because `async_creator` cannot switch off SQLAlchemy's cache of prepared statements: behind a
        # pooler a prepared statement is gone when its transaction ends.
        size = 0 if await_only(connector.is_pooled()) else PREPARED_STATEMENTS
        dbapi: Any = engine.dialect.loaded_dbapi
        connection: DBAPIConnection = dbapi.connect(async_creator_fn=connector, prepared_statement_cache_size=size)
        return connection

    engine = create_async_engine(
        "postgresql+asyncpg://",
        creator=create,
        poolclass=FifoPool,
        pool_size=settings.database_pool_size,
        pool_timeout=settings.database_pool_timeout_seconds,
        pool_recycle=1800,
        # `Transaction` sends BEGIN, COMMIT and ROLLBACK, so there is nothing to reset.
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        hide_parameters=not settings.debug,
    )
    event.listen(engine.sync_engine, "handle_error", partial(note_disconnect, read_only=connector.read_only))
    if settings.otel_exporter_otlp_endpoint:
        trace_statements(engine)
    if settings.debug:
        event.listen(engine.sync_engine, "connect", log_prepared)
    return engine


def log_prepared(connection: DBAPIConnection, _record: object) -> None:
    """Log the statements that asyncpg runs without SQLAlchemy."""
    connection.driver_connection.add_query_logger(lambda run: log.info("statement", sql=run.query, seconds=run.elapsed))


class Database:
    """The engines of the primary and of the replica, if there is one; part of the application state."""

    def __init__(self, settings: Settings) -> None:
        """Create the engines. Nothing connects yet."""
        self._settings = settings
        dsn = settings.database_url.get_secret_value()
        primary = Connector(settings, dsn, SessionAttribute.read_write)
        self.connect_directly = primary
        """Open a connection to the primary outside the pools, bypassing a pooler if possible; the caller closes it."""
        if settings.database_direct_url:
            direct = settings.model_copy(update={"database_pooler": Pooler.NONE})
            self.connect_directly = Connector(
                direct, settings.database_direct_url.get_secret_value(), SessionAttribute.read_write
            )
        self.engine = make_engine(settings, primary)
        # A separate pool, so that writes that wait for locks do not block reads.
        self._reader = self._replica_reader = Connector(settings, dsn, SessionAttribute.primary, read_only=True)
        self.read_engine = self.replica_engine = make_engine(settings, self._reader)
        if settings.database_replica_url:
            dsn = settings.database_replica_url.get_secret_value()
            self._replica_reader = Connector(settings, dsn, None, read_only=True)
            self.replica_engine = make_engine(settings, self._replica_reader)
        # A separate connection, so that probes report the state of the database and not the load.
        self._probe_engine = make_engine(settings.model_copy(update={"database_pool_size": 1}), primary)
        self._cursors = Cursors.from_settings(settings)
        self._replica_down_until = 0.0
        self.access_listeners: list[Callable[[set[UUID]], None]] = []
        """Called after a commit with the ids of accounts and sessions whose access has changed."""

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self.read_engine.dispose()
        await self.replica_engine.dispose()
        await self._probe_engine.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """Connect for migrations, without a pooler; raise ConfigurationError if that needs DATABASE_DIRECT_URL."""
        if await self.connect_directly.is_pooled():
            raise ConfigurationError("DATABASE_URL leads through a pooler: set DATABASE_DIRECT_URL for migrations")
        engine = make_engine(self._settings, self.connect_directly)
        try:
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="READ COMMITTED")
                yield connection
        finally:
            await engine.dispose()

    def pool_usage(self) -> PoolUsage:
        """Return the combined usage of all pools."""
        pools = [engine.pool for engine in {self.engine, self.read_engine, self.replica_engine}]
        usages = [pool.usage() for pool in pools if isinstance(pool, FifoPool)]
        return PoolUsage(*(sum(values) for values in zip(*usages, strict=True)))

    async def ping(self) -> None:
        """Run a query on the primary; raise what a statement can raise if it does not accept transactions."""
        try:
            await self._select_one()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self._select_one()  # It may have restarted since the last probe.

    async def _select_one(self) -> None:
        async with self._probe_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    def unit_of_work(self) -> UnitOfWork:
        """Return a context manager that inserts pending jobs and commits on success, and rolls back on any error."""
        return UnitOfWork(self._session(Transaction(self.engine.sync_engine, "BEGIN"), read_only=False))

    def read_only(self, *, replica: bool = False) -> Reading:
        """Return a context manager that reads from the primary or, if the data may be older, from the replica.

        While the replica cannot be reached, the primary replaces it.
        """
        can_borrow = self._reader.enforces_read_only
        if replica and time.monotonic() >= self._replica_down_until:
            engine, fallback = self.replica_engine.sync_engine, self._leave_replica
            can_borrow = can_borrow and self._replica_reader.enforces_read_only
            transaction = Transaction(engine, BEGIN_READ_ONLY, fallback=fallback, can_borrow=can_borrow)
        else:
            transaction = Transaction(self.read_engine.sync_engine, BEGIN_READ_ONLY, can_borrow=can_borrow)
        return Reading(self._session(transaction, read_only=True))

    def _session(self, transaction: Transaction, *, read_only: bool) -> Session:
        return Session(transaction, self._cursors, read_only=read_only, on_commit=self._notify, insert_jobs=flush_jobs)

    def _leave_replica(self) -> Engine:
        self._replica_down_until = time.monotonic() + REPLICA_PAUSE_SECONDS
        log.warning("replica unavailable", retry_in_seconds=REPLICA_PAUSE_SECONDS)
        return self.read_engine.sync_engine

    def _notify(self, changed: set[UUID]) -> None:
        for listener in self.access_listeners:
            listener(changed)
