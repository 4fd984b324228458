"""Connections and transactions: the unit of work, the reader, and the only commit of a request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog
from asyncpg.connect_utils import SessionAttribute
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.util import await_only

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.core.settings.database import Pooler
from app.db.connect import Connector
from app.db.errors import note_disconnect, translate
from app.db.pool import FifoPool, PoolUsage
from app.db.queue import flush_jobs
from app.db.reader import DATABASE_FAULTS, Reader, StatementReader
from app.db.tracing import trace_statements
from app.db.writer import Committed, Writer

log = structlog.get_logger(__name__)

PREPARED_STATEMENTS = 100
"""Statements of SQLAlchemy that a connection keeps prepared; asyncpg keeps those that it runs itself."""


def make_engine(settings: Settings, connector: Connector) -> AsyncEngine:
    """Make an engine whose pool holds `DATABASE_POOL_SIZE` connections and no more.

    Without pre-ping, which is a round trip for every use: requests that hit a dead connection are repeated.
    """

    def create() -> DBAPIConnection:
        # Not by `async_creator`, which cannot turn this cache off: behind a pooler a prepared statement is gone when
        # its transaction ends.
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
        # A Writer sends its own BEGIN and COMMIT.
        isolation_level="AUTOCOMMIT",
        hide_parameters=not settings.debug,
    )
    event.listen(engine.sync_engine, "handle_error", note_disconnect)
    if settings.otel_exporter_otlp_endpoint:
        trace_statements(engine)
    if settings.debug:
        event.listen(engine.sync_engine, "connect", log_prepared)
    return engine


def log_prepared(connection: DBAPIConnection, _record: object) -> None:
    """Log what asyncpg runs without SQLAlchemy, which logs the rest."""
    connection.driver_connection.add_query_logger(lambda run: log.info("statement", sql=run.query, seconds=run.elapsed))


class Database:
    """The primary and, where there is one, the replica; lives as long as the process."""

    def __init__(self, settings: Settings) -> None:
        """Prepare engines; nothing connects before it is needed."""
        self._settings = settings
        primary = Connector(settings, settings.database_url.get_secret_value(), SessionAttribute.read_write)
        self.connect_directly = primary
        """Open a connection to the primary outside the pools, bypassing a pooler if possible; the caller closes it."""
        if settings.database_direct_url:
            direct = settings.model_copy(update={"database_pooler": Pooler.NONE})
            dsn = settings.database_direct_url.get_secret_value()
            self.connect_directly = Connector(direct, dsn, SessionAttribute.read_write)
        self.engine = self.read_engine = make_engine(settings, primary)
        if settings.database_replica_url:
            replica = Connector(settings, settings.database_replica_url.get_secret_value(), None)
            self.read_engine = make_engine(settings, replica)
        # A connection of its own, so that probes report the database and not the load.
        self._probe_engine = make_engine(settings.model_copy(update={"database_pool_size": 1}), primary)
        self._reader = StatementReader(self.read_engine)
        self._primary_reader = StatementReader(self.engine)
        self._sessions = async_sessionmaker(class_=AsyncSession, expire_on_commit=False)
        self.commit_listeners: list[Committed] = []

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self.read_engine.dispose()
        await self._probe_engine.dispose()

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """Connect for migrations, past a pooler; raise ConfigurationError if that needs DATABASE_DIRECT_URL."""
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
        """Tell how the pools are used, those of the primary and of the replica together."""
        pools = [engine.pool for engine in {self.engine, self.read_engine}]
        usages = [pool.usage() for pool in pools if isinstance(pool, FifoPool)]
        return PoolUsage(*(sum(values) for values in zip(*usages, strict=True)))

    async def ping(self) -> None:
        """Ask the primary whether it accepts transactions, or raise what a statement can raise."""
        try:
            await self._select_one()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self._select_one()  # It may have restarted since the last probe.

    async def _select_one(self) -> None:
        async with self._probe_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[Writer]:
        """Enqueue its jobs and commit when the block ends, roll back on any error.

        Faults of the database become domain errors.
        """
        committing = False
        session = Writer(self.engine, self._sessions, self._note_commit)
        try:
            yield session
            await flush_jobs(session)
            committing = True
            await session.commit()
        except BaseException as error:
            is_lost = session.is_lost(error) and not committing
            await session.abandon()
            if isinstance(error, DATABASE_FAULTS):
                raise translate(error, is_lost=is_lost) from error
            raise

    def _note_commit(self, changed: set[UUID]) -> None:
        for listener in self.commit_listeners:
            listener(changed)

    def reader(self) -> Reader:
        """Read without a transaction, from the replica where there is one."""
        return self._reader

    def primary_reader(self) -> Reader:
        """Read without a transaction what must not be as old as a replica may be."""
        return self._primary_reader
