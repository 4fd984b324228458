"""Reading: each statement by itself, on a connection of the pool that it has for just so long."""

from abc import ABC, abstractmethod
from itertools import starmap
from typing import Any, TypeVar, TypeVarTuple, cast, overload

import asyncpg
from sqlalchemy import Engine, Executable, Result, ScalarResult
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

from app.db.errors import is_ending, translate
from app.db.pool import FifoPool
from app.db.prepared import Parameters, Prepared, R

DATABASE_FAULTS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ends while it is being made
    TimeoutError,
)
"""What a statement can raise; TimeoutError is the client's own time limit."""
T = TypeVar("T")
Columns = TypeVarTuple("Columns")
AnyResult = Result[*tuple[Any, ...]]


class Reader(ABC):
    """What can be read with: a Writer inside a unit of work, too, but never the reverse."""

    @abstractmethod
    async def _run(self, statement: Executable, params: Parameters | None) -> AnyResult: ...

    @abstractmethod
    async def _run_prepared(self, statement: Prepared[Any], arguments: list[Any]) -> list[asyncpg.Record]: ...

    async def fetch(self, statement: Prepared[R], params: Parameters) -> list[R]:
        """Run a prepared statement; give its rows."""
        records = await self._run_prepared(statement, statement.arguments(params))
        return list(starmap(statement.row, records))

    async def fetch_one(self, statement: Prepared[R], params: Parameters) -> R | None:
        """Run a prepared statement; give its first row, if there is one."""
        rows = await self.fetch(statement, params)
        return rows[0] if rows else None

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], params: Parameters | None = None
    ) -> Result[*Columns]: ...
    @overload
    async def execute(self, statement: Executable, params: Parameters | None = None) -> AnyResult: ...
    async def execute(self, statement: Any, params: Parameters | None = None) -> Any:
        """Run a statement; its rows are all here when it returns."""
        return await self._run(statement, params)

    @overload
    async def scalar(self, statement: TypedReturnsRows[T], params: Parameters | None = None) -> T | None: ...
    @overload
    async def scalar(self, statement: Executable, params: Parameters | None = None) -> Any: ...  # noqa: ANN401
    async def scalar(self, statement: Any, params: Parameters | None = None) -> Any:
        """Run a statement; give the first column of its first row."""
        return (await self._run(statement, params)).scalar()

    @overload
    async def scalars(self, statement: TypedReturnsRows[T], params: Parameters | None = None) -> ScalarResult[T]: ...
    @overload
    async def scalars(self, statement: Executable, params: Parameters | None = None) -> ScalarResult[Any]: ...
    async def scalars(self, statement: Any, params: Parameters | None = None) -> ScalarResult[Any]:
        """Run a statement; give the first column of its rows."""
        return (await self._run(statement, params)).scalars()


def forget_if_lost(engine: Engine, driver: asyncpg.Connection, error: BaseException) -> bool:
    """Return whether an error has cost the connection; then all others, which would fare the same, are made anew."""
    is_lost = driver.is_closed() or is_ending(error)
    if is_lost:
        cast("FifoPool", engine.pool).expire()
    return is_lost


class StatementReader(Reader):
    """Takes a connection for each statement: one query is one round trip, and nobody holds what others wait for.

    Faults of the database become domain errors. In one greenlet from the pool and back, on Core: an AsyncSession
    takes three times the CPU.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Read from this engine; every statement commits by itself."""
        self._engine = engine.sync_engine

    async def _run(self, statement: Executable, params: Parameters | None) -> AnyResult:
        try:
            return await greenlet_spawn(self._execute, statement, params)
        except DATABASE_FAULTS as error:
            raise translate(error) from error

    async def _run_prepared(self, statement: Prepared[Any], arguments: list[Any]) -> list[asyncpg.Record]:
        try:
            connection = await greenlet_spawn(self._engine.raw_connection)
        except DATABASE_FAULTS as error:
            raise translate(error) from error
        driver = cast("asyncpg.Connection", connection.driver_connection)
        try:
            return await statement.run(driver, arguments)
        except DATABASE_FAULTS as error:
            raise translate(error, is_lost=forget_if_lost(self._engine, driver, error)) from error
        except BaseException:  # Cancelled: nobody knows what the server still sends.
            driver.terminate()
            raise
        finally:
            connection.close()

    def _execute(self, statement: Executable, params: Parameters | None) -> AnyResult:
        with self._engine.connect() as connection:
            # asyncpg's rows are all here by now, and outlive the connection.
            return connection.execute(statement, params)
