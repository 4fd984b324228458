"""Connections and transactions: the unit of work, the reader, and the only commit of a request."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import structlog
from asyncpg.connect_utils import SessionAttribute
from pydantic import SecretStr
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.core.config import Settings
from app.core.exceptions import DatabaseUnavailableError
from app.db.errors import note_disconnect, translate
from app.db.pool import FifoPool, PoolUsage
from app.db.queue import flush_jobs
from app.db.reader import DATABASE_FAULTS, Reader, StatementReader
from app.db.tracing import trace_statements
from app.db.writer import Committed, Writer

log = structlog.get_logger(__name__)

ServerKind = SessionAttribute | None


def server_settings(settings: Settings) -> dict[str, str]:
    """Say what every connection asks of the server: UTC, and an end to whatever takes too long."""

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return {
        "application_name": settings.project_name,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": milliseconds(settings.database_statement_timeout_seconds),
        "lock_timeout": milliseconds(settings.database_lock_timeout_seconds),
        "idle_in_transaction_session_timeout": milliseconds(settings.database_idle_timeout_seconds),
    }


def connector(settings: Settings, dsn: str, accept: ServerKind) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Open connections to a libpq URL (several hosts and `sslmode` included) with every wait bounded.

    `accept` is libpq's target_session_attrs; unset: what the URL says, or any server.
    """

    async def connect() -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                dsn,
                timeout=settings.database_connect_timeout_seconds,
                # The server ends a slow statement first; this is for one that no longer answers.
                command_timeout=settings.database_statement_timeout_seconds + 1,
                server_settings=server_settings(settings),
                target_session_attrs=accept,
            )
        except (OSError, asyncpg.InternalClientError) as error:
            raise DatabaseUnavailableError from error
        except asyncpg.PostgresError as error:  # Told here: the pool gives it a class that nobody else knows.
            raise translate(error) from error

    return connect


def make_engine(settings: Settings, url: SecretStr, accept: ServerKind = SessionAttribute.read_write) -> AsyncEngine:
    """Make an engine whose pool holds `DATABASE_POOL_SIZE` connections and no more, to the primary unless told else.

    Without pre-ping, a round trip for every use: what a lost connection spoils is done again on a fresh one.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(settings, url.get_secret_value(), accept),
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
        dsn = settings.database_url.get_secret_value()
        self.connect = connector(settings, dsn, SessionAttribute.read_write)
        """Open a connection to the primary beside the pools, for LISTEN; whoever asks closes it."""
        self.engine = self.read_engine = make_engine(settings, settings.database_url)
        if settings.database_replica_url:
            self.read_engine = make_engine(settings, settings.database_replica_url, accept=None)
        # One connection apart, so that probes tell of the database and not of the load.
        self._probe_engine = make_engine(settings.model_copy(update={"database_pool_size": 1}), settings.database_url)
        self._reader = StatementReader(self.read_engine)
        self._primary_reader = StatementReader(self.engine)
        self._sessions = async_sessionmaker(class_=AsyncSession, expire_on_commit=False)
        self.commit_listeners: list[Committed] = []

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self.read_engine.dispose()
        await self._probe_engine.dispose()

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

    def _note_commit(self, changed_tables: set[str]) -> None:
        for listener in self.commit_listeners:
            listener(changed_tables)

    def reader(self) -> Reader:
        """Read without a transaction, from the replica where there is one."""
        return self._reader

    def primary_reader(self) -> Reader:
        """Read without a transaction what must not be as old as a replica may be."""
        return self._primary_reader
