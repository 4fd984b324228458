"""Traced statements: functions that return SQLAlchemy statements, compiled once and run by asyncpg.

    @statement
    def select_item(owner_id: UUID, item_id: UUID) -> Select[Item]:
        return select(Item).where(Item.id == item_id, Item.owner_id == owner_id)

    item = await db.fetch_one(select_item(owner_id, item_id))

The function is called when a new shape of its arguments is compiled, and must depend on nothing else. The shape is
which of them are None, the values of booleans, enums and literals, and the keys of mappings. Other arguments are
placeholders while it runs. `docs/database.md` says when to use this, and when to use plain SQLAlchemy.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, TypeVarTuple, overload

import structlog
from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TypedReturnsRows

from app.db.arguments import Argument
from app.db.entities import TracingError
from app.db.traced import Traced, ValueGetter, Values

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
Ts = TypeVarTuple("Ts")

MAX_SHAPES = 256
"""Beyond this number of shapes a statement runs as plain SQLAlchemy: each shape keeps its SQL on every connection."""


class Bound(Generic[T]):
    """A traced statement with its arguments. `T` is the type of a row."""

    __slots__ = ("source", "values")

    def __init__(self, source: "TracedFunction", values: Values) -> None:
        """Bind these values."""
        self.source, self.values = source, values

    def trace(self, derivation: "Derivation | None" = None) -> Traced | None:
        """Return the compiled statement, or None if it has to run as plain SQLAlchemy."""
        return self.source.trace(self.values, derivation)

    def plain(self) -> Any:  # noqa: ANN401  a statement of any kind
        """Return the statement that the function returns for the values."""
        return self.source.function(**self.values)

    async def run_plain(self, db: AsyncSession) -> list[T]:
        """Run it through a session. Instances that the session did not hold are detached, as traced ones are."""
        names, rows = await fetch_detached(db, self.plain())
        return [row[0] for row in rows] if len(names) == 1 else list(rows)


async def fetch_detached(
    db: AsyncSession,
    query: Executable,
    parameters: Values | None = None,
) -> tuple[list[str], Sequence[Any]]:
    """Return the names and the rows of a query. New instances are detached, as those of traced statements are."""
    await db.flush()
    held = set(db.identity_map.keys())
    result = await db.execute(query, parameters, execution_options={"populate_existing": True})
    names, rows = list(result.keys()), result.all()
    for key in set(db.identity_map.keys()) - held:
        db.expunge(db.identity_map[key])
    return names, rows


class Derivation(Protocol):
    """Transforms a traced select, for example into one page. Hashable: it is part of the shape."""

    @property
    def extra(self) -> Sequence[Any]:
        """Columns to select besides those of the statement."""
        ...

    @property
    def getters(self) -> Mapping[str, ValueGetter]:
        """The parameters that it adds, by name."""
        ...

    def apply(self, statement: Any) -> Any:  # noqa: ANN401  a select in, a select out
        """Return the derived statement."""
        ...


class TracedFunction:
    """Traces a function for each shape of its arguments."""

    def __init__(self, function: Callable[..., Any], custom_plan: Collection[str]) -> None:
        """Trace this function. A call in which a `custom_plan` argument is not None is planned for its values."""
        self.function = function
        self.name = function.__qualname__
        self._custom_plan = frozenset(custom_plan)
        self._signature = inspect.signature(function)
        self._names = tuple(self._signature.parameters)
        annotations = inspect.get_annotations(function, eval_str=True)
        self._arguments = {name: Argument.of(self.name, name, annotations.get(name)) for name in self._names}
        self._shapes: dict[tuple[Any, ...], Traced] = {}
        self._has_warned = False

    def __call__(self, *arguments: Any, **named: Any) -> Bound[Any]:  # noqa: ANN401  typed by `statement`
        """Bind arguments."""
        if named or len(arguments) != len(self._names):
            bound = self._signature.bind(*arguments, **named)
            bound.apply_defaults()
            values = bound.arguments
        else:
            values = dict(zip(self._names, arguments, strict=True))
        return Bound(self, values)

    def trace(self, values: Values, derivation: Derivation | None = None) -> Traced | None:
        """Return the compiled statement for the shape of these values; None if there are too many shapes."""
        arguments = self._arguments
        shape = (derivation, *[arguments[name].shape(value) for name, value in values.items()])
        traced = self._shapes.get(shape)
        if traced is None and len(self._shapes) < MAX_SHAPES:
            try:
                traced = self._shapes[shape] = self._trace(values, derivation)
            except TracingError as error:
                raise TracingError(f"{self.name}: {error}") from error
        elif traced is None and not self._has_warned:
            self._has_warned = True
            log.warning("statement has too many shapes", function=self.name, most=MAX_SHAPES)
        return traced

    def _trace(self, values: Values, derivation: Derivation | None) -> Traced:
        symbols: dict[str, Any] = {}
        getters: dict[str, ValueGetter] = dict(derivation.getters) if derivation else {}
        for name, value in values.items():
            symbols[name] = self._arguments[name].symbol(value, getters)
        custom_plan = any(values[name] is not None for name in self._custom_plan)
        first, second = (self._compile(symbols, getters, derivation, custom_plan=custom_plan) for _ in range(2))
        different = [n for n, value in first.constants.items() if second.constants.get(n, value) != value]
        if different or first.sql != second.sql:
            what = f"the value for {different[0]!r}" if different else "the SQL"
            raise TracingError(f"{what} differs from call to call: pass what it is made of as an argument")
        return first

    def _compile(
        self, symbols: Values, getters: Mapping[str, ValueGetter], derivation: Derivation | None, *, custom_plan: bool
    ) -> Traced:
        made = self.function(**symbols)
        if derivation is None:
            return Traced(made, getters, custom_plan=custom_plan)
        return Traced(derivation.apply(made), getters, *derivation.extra, custom_plan=custom_plan)


class _Decorator(Protocol):
    @overload
    def __call__(self, function: Callable[P, TypedReturnsRows[T]]) -> Callable[P, Bound[T]]: ...
    @overload
    def __call__(
        self, function: Callable[P, TypedReturnsRows[T1, T2, *Ts]]
    ) -> Callable[P, Bound[Row[T1, T2, *Ts]]]: ...


@overload
def statement(function: Callable[P, TypedReturnsRows[T]]) -> Callable[P, Bound[T]]: ...
@overload
def statement(function: Callable[P, TypedReturnsRows[T1, T2, *Ts]]) -> Callable[P, Bound[Row[T1, T2, *Ts]]]: ...
@overload
def statement(*, custom_plan: Collection[str]) -> _Decorator: ...
def statement(function: Any = None, *, custom_plan: Collection[str] = ()) -> Any:
    """Trace a function that returns a select, or an insert, update or delete with RETURNING.

    PostgreSQL plans a call that gives one of the `custom_plan` arguments for its values, each time: for conditions
    whose values decide which index serves best.

    Raises TracingError, at the first call of a shape, for the mistakes that it can detect: a value that the function
    uses or makes, lists in IN, options, load events.
    """
    if function is None:
        return lambda decorated: TracedFunction(decorated, custom_plan)
    return TracedFunction(function, custom_plan)
