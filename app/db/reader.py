"""Reading: each statement by itself, on a connection of the pool that it has for just so long."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar, TypeVarTuple, overload

import asyncpg
from sqlalchemy import Executable, Result, ScalarResult
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

from app.db.errors import translate

DATABASE_FAULTS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
"""What a statement can raise; TimeoutError is the client's own time limit."""
Parameters = Mapping[str, Any]
T = TypeVar("T")
Columns = TypeVarTuple("Columns")


AnyResult = Result[*tuple[Any, ...]]


class Reader(ABC):
    """What can be read with: a Writer inside a unit of work, too, but never the reverse."""

    @abstractmethod
    async def _run(self, statement: Executable, params: Parameters | None) -> AnyResult: ...

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

    def _execute(self, statement: Executable, params: Parameters | None) -> AnyResult:
        with self._engine.connect() as connection:
            # asyncpg's rows are all here by now, and outlive the connection.
            return connection.execute(statement, params)
