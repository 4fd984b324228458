"""The database session: SQLAlchemy's AsyncSession, plus statements that asyncpg runs directly.

What SQLAlchemy documents for AsyncSession works. Differences: a connection is taken by the first statement and returned
by `commit`, `rollback` and `close`; a read-only session refuses to write.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import greenlet_spawn

from app.db.cursors import Cursors
from app.db.entities import expire_others
from app.db.errors import raise_as_sqlalchemy
from app.db.lazy_session import LazySession, refuse_write
from app.db.statements import Bound
from app.db.traced import Traced, Values
from app.db.transaction import DATABASE_ERRORS, Transaction

T = TypeVar("T")
InsertJobs = Callable[["Session"], Awaitable[None]]
OnCommit = Callable[[set[UUID]], None]
"""Called after a commit with the accounts and sessions whose access has changed."""


class Session(AsyncSession):
    """A unit of work, or a read-only session."""

    sync_session_class = LazySession
    sync_session: LazySession
    _is_orm = _is_busy = False
    """Whether the session of SQLAlchemy is initialised, and whether a traced statement is running."""

    def __init__(
        self,
        db_transaction: Transaction,
        cursors: Cursors,
        *,
        read_only: bool,
        on_commit: OnCommit,
        insert_jobs: InsertJobs,
    ) -> None:
        """Run every statement in this transaction; nothing connects before the first."""
        self.cursors = cursors
        self._insert_jobs = insert_jobs
        self._db_transaction = db_transaction
        self._read_only = read_only
        self._on_commit = on_commit
        self._changed: set[UUID] = set()
        self.pending_jobs: list[Any] = []
        """The jobs that `enqueue` has added; the unit of work inserts them before it commits."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Initialise the session of SQLAlchemy when it is used for the first time.

        Traced statements do not need it, and it takes 3 % of the CPU of a read.
        """
        if self._is_orm or name.startswith("__"):
            raise AttributeError(name)
        self._is_orm = True
        super().__init__(db_transaction=self._db_transaction, read_only=self._read_only, expire_on_commit=False)
        return getattr(self, name)

    @property
    def _has_orm_transaction(self) -> bool:
        return self._is_orm and self.sync_session.in_transaction()

    async def fetch_all(self, statement: Bound[T]) -> list[T]:
        """Run a traced statement and return its rows. Pending changes are flushed first.

        A read-only session without a transaction borrows a connection for this statement only.
        """
        traced = statement.trace()
        if traced is None:
            return await statement.run_plain(self)
        records = await self.fetch_records(traced, statement.values)
        return self.load(traced, records)

    async def fetch_one(self, statement: Bound[T]) -> T | None:
        """Run a traced statement and return its first row, or None."""
        rows = await self.fetch_all(statement)
        return rows[0] if rows else None

    async def fetch_records(self, traced: Traced, values: Values) -> list[asyncpg.Record]:
        """Run a traced statement and return what asyncpg returns; for code that loads the rows itself."""
        if traced.is_write and self._read_only:
            refuse_write()
        if self._is_busy:
            raise InvalidRequestError("A session runs one statement at a time: do not share it between tasks")
        self._is_busy = True
        try:
            return await self._fetch(traced, values)
        finally:
            self._is_busy = False

    async def _fetch(self, traced: Traced, values: Values) -> list[asyncpg.Record]:
        if self._has_orm_transaction:
            await self._flush_pending()
        elif self._read_only and not self._db_transaction.is_open and self._db_transaction.can_borrow:
            return await self._fetch_outside_transaction(traced, values)
        await self._db_transaction.begin()
        return await self._run(traced, values)

    def load(self, traced: Traced, records: list[asyncpg.Record]) -> list[Any]:
        """Return the rows of a traced statement; instances that this session holds are refreshed, or expired."""
        if not self._is_orm:
            return traced.load(records, None)
        rows = traced.load(records, self.sync_session)
        if traced.entity is not None and self.sync_session.identity_map:
            expire_others(self.sync_session, traced.entity, rows)
        return rows

    async def _flush_pending(self) -> None:
        """Flush, and emit a SAVEPOINT that SQLAlchemy has not emitted yet."""
        if self.sync_session.autoflush:
            await self.flush()
        if self.sync_session.in_nested_transaction():
            await self.connection()

    async def _fetch_outside_transaction(self, traced: Traced, values: Values) -> list[asyncpg.Record]:
        await self._db_transaction.take()
        try:
            return await self._run(traced, values)
        except asyncio.CancelledError:  # During a query: the state of the protocol is unknown.
            self._db_transaction.driver.terminate()
            raise
        finally:
            await self._db_transaction.release()

    async def _run(self, traced: Traced, values: Values) -> list[asyncpg.Record]:
        try:
            return await traced.fetch(self._db_transaction.driver, values)
        except DATABASE_ERRORS as error:
            raise_as_sqlalchemy(error, traced.sql, is_lost=self._db_transaction.invalidate_if_lost(error))

    def mark_access_changed(self, *ids: UUID) -> None:
        """Mark accounts or sessions whose access changes; the cache of this process drops them after the commit."""
        self._changed.update(ids)

    async def commit(self) -> None:
        """Flush, insert pending jobs, commit, return the connection. The next statement begins a new transaction."""
        if self.pending_jobs:
            await self._insert_jobs(self)
        if self._has_orm_transaction:
            await super().commit()
        await self._db_transaction.commit()
        self._notify()

    async def rollback(self) -> None:
        """Roll back, discard pending jobs, and return the connection. The next statement begins a new transaction."""
        self.pending_jobs.clear()
        try:
            if self._has_orm_transaction:
                await super().rollback()
            elif self._is_orm:
                self.sync_session.expire_all()  # A traced statement may have refreshed instances.
        except InvalidRequestError:  # After a COMMIT that failed.
            await greenlet_spawn(self.sync_session.close)
        finally:
            await self._db_transaction.rollback()
        if not self._db_transaction.has_committed:
            self._changed.clear()

    async def close(self) -> None:
        """Roll back what was not committed, return the connection, and discard all instances and pending jobs."""
        self.pending_jobs.clear()
        try:
            if self._is_orm:
                await greenlet_spawn(self.sync_session.close)
        finally:
            await self._db_transaction.rollback()
            if self._db_transaction.has_committed:
                self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, set()
        if changed:
            self._on_commit(changed)

    @property
    def has_committed(self) -> bool:
        """Whether a part of the work was committed."""
        return self._db_transaction.has_committed

    @property
    def can_be_retried(self) -> bool:
        """Whether nothing of this session was committed, so that its work may be repeated."""
        return not (self._db_transaction.is_committing or self._db_transaction.has_committed)

    def invalidate_if_lost(self, error: BaseException) -> bool:
        """Return whether the connection of this session is lost; if so, invalidate all connections of its pool."""
        return self._db_transaction.invalidate_if_lost(error)
