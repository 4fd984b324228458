"""Compile a statement once, bind values to it, and load its rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Delete, FromClause, Insert, Select, Update, inspect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.sql.compiler import SQLCompiler

from app.db.entities import DIALECT, EntityLoader, Loader, TracingError, ValueLoader, refuse_unsupported

Values = Mapping[str, Any]
"""The arguments of a call by name."""
ValueGetter = Callable[[Values], Any]
FROZEN_TYPES = (date, time, timedelta, UUID)
"""Values of these types differ from call to call, even if two calls in a row return the same: `date.today()`."""


class Traced:
    """A compiled statement: SQL, how its arguments are read, and how its rows are loaded."""

    def __init__(
        self,
        statement: Any,  # noqa: ANN401  of any kind; others are refused
        getters: Mapping[str, ValueGetter],
        *extra: Any,  # noqa: ANN401  columns, attributes or labels
        custom_plan: bool = False,
    ) -> None:
        """Compile a statement, in which `getters` are the parameters by name.

        The values of the `extra` columns are selected, too, but are no part of the rows: `positions` reads them.
        Raises TracingError for what needs SQLAlchemy at each execution.
        """
        result = _ResultShape.of(statement, extra)
        compiled: SQLCompiler = result.statement.compile(dialect=DIALECT)
        self.sql = str(compiled)
        self.is_write = not isinstance(statement, Select)
        self.entity = statement.entity_description.get("entity") if self.is_write else None
        """The class whose rows the statement changes."""
        self.constants = constants(compiled, getters)
        self._custom_plan = custom_plan
        self._getters = [_getter(compiled, getters, name) for name in compiled.positiontup or ()]
        self._load, self._width, self._extra = result.loader(), len(result.columns), result.extra

    async def fetch(self, driver: asyncpg.Connection, values: Values) -> list[asyncpg.Record]:
        """Run the statement on a connection."""
        arguments = [read(values) for read in self._getters]
        if not self._custom_plan:
            return await driver.fetch(self.sql, *arguments)
        # asyncpg does not cache unnamed statements, so PostgreSQL never switches to a generic plan.
        statement = await driver.prepare(self.sql, name="")
        return await statement.fetch(*arguments)

    def load(self, records: Sequence[asyncpg.Record], session: Session | None) -> list[Any]:
        """Return what the statement selects: instances, values, or rows of several of them."""
        if records and len(records[0]) != self._width:
            raise TracingError(f"{self.sql} returns {len(records[0])} columns instead of {self._width}")
        return self._load(records, session)

    def positions(self, record: asyncpg.Record) -> tuple[Any, ...]:
        """Return the values of the extra columns."""
        return tuple(record[place] for place in self._extra)


def constants(compiled: SQLCompiler, getters: Mapping[str, ValueGetter]) -> dict[str, Any]:
    """Return the values that are part of the statement; raise TracingError for those that were made for one call."""
    if compiled.post_compile_params:
        raise TracingError("a list in the function is another statement for each length: pass the list as an argument")
    computed = {column.key for column in _prefetched(compiled)}
    values = {n: v for n, v in compiled.params.items() if n not in getters and n not in computed}
    for name, value in values.items():
        if compiled.binds[name].required:
            raise TracingError(f"the parameter {name!r} has no value: use an argument of the function")
        for part in value if isinstance(value, list | tuple | set | frozenset) else (value,):
            if isinstance(part, FROZEN_TYPES):
                raise TracingError(f"the value for {name!r} would be the same for ever: pass it as an argument")
    return values


def _prefetched(compiled: SQLCompiler) -> list[Any]:
    return [*compiled.insert_prefetch, *compiled.update_prefetch]


def _getter(compiled: SQLCompiler, getters: Mapping[str, ValueGetter], name: str) -> ValueGetter:
    bind = compiled.binds[name]
    read = getters.get(name) or _default(compiled, name)
    if read is None:
        value = compiled.params[name]

        def read(_: Values) -> Any:  # noqa: ANN401
            return value

    process = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT)
    return read if process is None else lambda values: process(read(values))


def _default(compiled: SQLCompiler, name: str) -> ValueGetter | None:
    """Return the function of a column's default that Python computes."""
    for column in _prefetched(compiled):
        if column.key != name:
            continue
        default = column.default if column in compiled.insert_prefetch else column.onupdate
        if not default.is_callable:
            return lambda _: default.arg
        try:
            default.arg(None)
        except Exception:  # noqa: BLE001  a default may raise anything
            raise TracingError(f"the default of {column} needs a context: pass its value as an argument") from None
        return lambda _: default.arg(None)
    return None


@dataclass(slots=True)
class _ResultShape:
    """The columns that a statement selects, each once, and the elements that its rows consist of."""

    statement: Any
    columns: dict[int, int] = field(default_factory=dict)
    """The place of each column, by the hash of the column: SQLAlchemy's ORM selects equal columns once."""
    elements: list[tuple[str, Mapper[Any] | None, Any]] = field(default_factory=list)
    """The name, the mapper of an entity, and the place (or the places by attribute)."""
    extra: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, statement: Any, extra: Sequence[Any]) -> "_ResultShape":  # noqa: ANN401
        """Read a statement, and select the extra columns, too."""
        if getattr(statement, "_with_options", ()) or getattr(statement, "_execution_options", ()):
            # No public attribute has the loader options.
            raise TracingError("options need a session: use plain SQLAlchemy")
        if isinstance(statement, Select):
            result = cls(statement)
            result.select(extra)
            return result
        if isinstance(statement, Insert | Update | Delete):
            result = cls(statement)
            result.returning()
            return result
        raise TracingError(f"a {type(statement).__name__} cannot be traced: select from a subquery")

    def select(self, extra: Sequence[Any]) -> None:
        """Read a select, and add columns to it."""
        chosen: list[Any] = []
        for description in self.statement.column_descriptions:
            expression, entity = description["expr"], description.get("entity")
            if entity is not None and expression is entity:
                mapper = inspect(entity).mapper
                refuse_unsupported(mapper)
                places = {a.key: self._index(chosen, getattr(entity, a.key)) for a in mapper.column_attrs}
                self.elements.append((description["name"], mapper, places))
            else:
                self.elements.append((description["name"], None, (self._index(chosen, expression), expression.type)))
        self.extra = [self._index(chosen, column) for column in extra]
        self.statement = self.statement.with_only_columns(*chosen, maintain_column_froms=True)

    def returning(self) -> None:
        """Read an insert, update or delete; raise TracingError without RETURNING."""
        returned = self.statement._returning  # noqa: SLF001  `returning_column_descriptions` raises for entities
        if not returned:
            raise TracingError("add .returning(...), or run the statement with plain SQLAlchemy")
        chosen: list[Any] = []
        for element in returned:
            if isinstance(element, FromClause):
                mapper = inspect(self.statement.entity_description["entity"]).mapper
                refuse_unsupported(mapper)
                keys = (mapper.get_property_by_column(column).key for column in element.c)
                places = {key: self._index(chosen, column) for key, column in zip(keys, element.c, strict=True)}
                self.elements.append((mapper.class_.__name__, mapper, places))
            else:
                self.elements.append((element.key, None, (self._index(chosen, element), element.type)))

    def _index(self, chosen: list[Any], column: Any) -> int:  # noqa: ANN401
        clause = column.__clause_element__() if hasattr(column, "__clause_element__") else column
        if hash(clause) not in self.columns:
            chosen.append(column)
        return self.columns.setdefault(hash(clause), len(self.columns))

    def loader(self) -> Callable[[Sequence[asyncpg.Record], Session | None], list[Any]]:
        """Return a function that loads the rows."""
        is_delete = isinstance(self.statement, Delete)
        loaders: list[Loader] = [
            EntityLoader(mapper, where, is_delete=is_delete) if mapper else ValueLoader(*where)
            for _, mapper, where in self.elements
        ]
        if len(loaders) == 1:
            return loaders[0].load
        names = [name for name, *_ in self.elements]

        def load_rows(records: Sequence[asyncpg.Record], session: Session | None) -> list[Any]:
            columns = [loader.load(records, session, is_joined=True) for loader in loaders]
            return list(IteratorResult(SimpleResultMetaData(names), zip(*columns, strict=True)).all())

        return load_rows
