"""Statements of hot paths: SQLAlchemy writes them once, and asyncpg runs them alone, for a third of the CPU."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import asyncpg
from sqlalchemy import Delete, Insert, Select, Update
from sqlalchemy.dialects.postgresql.asyncpg import dialect

DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has it so
Parameters = Mapping[str, Any]
R = TypeVar("R", bound=tuple[Any, ...])
Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete


class Prepared(Generic[R]):
    """A statement with parameters, and the named tuple that each of its rows becomes."""

    def __init__(self, statement: Statement, row: type[R], *inserted: str, custom_plan: bool = False) -> None:
        """Write the SQL, of an INSERT for these columns.

        With `custom_plan` PostgreSQL plans each execution for its parameter values.

        Raises TypeError where the columns are not the fields of `row`, or something needs SQLAlchemy for each use: a
        type that asyncpg does not read alone, a default that is made in Python, a list of any length.
        """
        compiled = statement.compile(dialect=DIALECT, column_keys=inserted or None)
        columns = statement.exported_columns
        read = [c.key for c in columns if not c.type.dialect_impl(DIALECT).result_processor(DIALECT, None)]
        made = [*compiled.insert_prefetch, *compiled.update_prefetch, *compiled.post_compile_params]
        if read != list(getattr(row, "_fields", ())) or made:
            raise TypeError(f"{compiled} does not give {row.__name__} without SQLAlchemy")
        self.sql, self.row, self.custom_plan = str(compiled), row, custom_plan
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants = {name: compiled.params[name] for name in self._names if not compiled.binds[name].required}
        types = {name: compiled.binds[name].type.dialect_impl(DIALECT) for name in self._names}
        self._processors = {name: p for name, kind in types.items() if (p := kind.bind_processor(DIALECT))}

    async def run(self, driver: asyncpg.Connection, arguments: list[Any]) -> list[asyncpg.Record]:
        """Run the statement on a connection."""
        if not self.custom_plan:
            return await driver.fetch(self.sql, *arguments)
        # asyncpg does not cache unnamed statements, so PostgreSQL never switches to a generic plan.
        statement = await driver.prepare(self.sql, name="")
        return await statement.fetch(*arguments)

    def arguments(self, parameters: Parameters) -> list[Any]:
        """Put the values in the order of the SQL; raises KeyError for one that is missing."""
        values = {**self._constants, **parameters}
        for name, process in self._processors.items():
            values[name] = process(values[name])
        return [values[name] for name in self._names]
