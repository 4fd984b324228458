"""Keyset pagination. No row is lost or repeated while others write, if the key is unique for each row of the result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Column, Integer, Select, bindparam, tuple_
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

from app.db.cursors import PARSERS
from app.db.entities import DIALECT
from app.db.session import Session
from app.db.statements import Bound, fetch_detached
from app.db.traced import ValueGetter

T = TypeVar("T")
EXTRA = 2
"""The columns that a page adds: the sort value and the key."""


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[T]):
    """Some rows of a list, and the cursor of those that follow (None on the last page)."""

    items: Sequence[T]
    next_cursor: str | None


class PageRequest(Protocol):
    """The parameters of a list; a schema may add `sort`: the name of a column, with a minus for descending."""

    @property
    def limit(self) -> int: ...  # noqa: D102
    @property
    def cursor(self) -> str | None: ...  # noqa: D102


class SortOrder:
    """The columns that a list can be sorted by, and a unique key that breaks ties. The first column is the default."""

    def __init__(self, *columns: Any, key: Any) -> None:  # noqa: ANN401  attributes, columns or labels
        """Check the columns; raise TypeError for one that is nullable or whose type has no cursor format.

        NULL is neither before nor after another value, so rows with NULL would be on no page. Sort by
        `func.coalesce(column, default).label(...)` instead.
        """
        for column in (*columns, key):
            kind = column.type.python_type
            if kind not in PARSERS:
                raise TypeError(f"Cannot sort by {column}: a cursor cannot hold values of the type {column.type!r}")
            table_column = getattr(column, "expression", column)
            if isinstance(table_column, Column) and table_column.nullable:
                raise TypeError(f"Cannot sort by {column}: it is nullable; use a label of func.coalesce")
        self._columns = {str(column.key): column for column in columns}
        self.key = key

    def parse(self, sort: str | None) -> tuple[Any, bool]:
        """Return the column of a `sort` parameter, and whether it descends; raise KeyError if it is unknown."""
        name = (sort or "").removeprefix("-")
        return self._columns[name or next(iter(self._columns))], bool(sort and sort.startswith("-"))


@dataclass(frozen=True, slots=True)
class Page:
    """WHERE, ORDER BY and LIMIT of one page. Hashable, because it is part of the shape of a traced statement."""

    column: Any
    key: Any
    descending: bool
    is_first: bool

    @property
    def getters(self) -> Mapping[str, ValueGetter]:
        """Functions that read the values of the bind parameters that `apply` adds."""
        return {name: itemgetter(name) for name in ("page_after", "page_after_key", "page_limit")}

    @property
    def extra(self) -> tuple[Any, Any]:
        """The sort value and the key of each row."""
        return self.column, self.key

    def apply(self, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """Return the select of the page; its parameters are in `getters`.

        Raises TypeError for a select that already has an order, a limit, an offset or DISTINCT, which would lose rows.
        """
        for name in ("_order_by_clauses", "_limit_clause", "_offset_clause", "_distinct"):  # none is public
            value = getattr(statement, name)
            if value is not None and value is not False and value != ():
                raise TypeError("paginate orders and limits the rows itself: remove ORDER BY, LIMIT, OFFSET, DISTINCT")
        if not self.is_first:
            position = tuple_(self.column, self.key)
            after = tuple_(
                bindparam("page_after", type_=self.column.type), bindparam("page_after_key", type_=self.key.type)
            )
            statement = statement.where(position < after if self.descending else position > after)
        order_by = (self.column.desc(), self.key.desc()) if self.descending else (self.column, self.key)
        return statement.order_by(*order_by).limit(bindparam("page_limit", type_=Integer))


async def paginate(db: Session, statement: Bound[T] | Select[T], order: SortOrder, query: PageRequest) -> KeysetPage[T]:
    """Read `query.limit` rows after `query.cursor`; one more shows whether another page follows.

    Raises InvalidCursorError for a cursor of another list, of other parameters or of another order.
    """
    sort = getattr(query, "sort", None)
    column, descending = order.parse(sort)
    scope = f"{_scope(statement)} {sort}"
    position: dict[str, Any] = {"page_limit": query.limit + 1}
    if query.cursor is not None:
        position["page_after"], position["page_after_key"] = db.cursors.read(scope, query.cursor)
    page = Page(column, order.key, descending, is_first=query.cursor is None)
    rows, cursor_values = await _fetch(db, statement, page, position)
    if len(rows) <= query.limit:
        return KeysetPage(rows, None)
    return KeysetPage(rows[: query.limit], db.cursors.write(scope, *cursor_values(query.limit - 1)))


async def _fetch(
    db: Session, statement: Bound[T] | Select[T], page: Page, position: dict[str, Any]
) -> tuple[list[T], Callable[[int], tuple[Any, Any]]]:
    """Return the rows, and a function that returns the sort value and the key of one of them."""
    traced = statement.trace(page) if isinstance(statement, Bound) else None
    if isinstance(statement, Bound) and traced is not None:
        records = await db.fetch_records(traced, {**statement.values, **position})
        return db.load(traced, records), lambda index: traced.positions(records[index])
    plain: Any = statement.plain() if isinstance(statement, Bound) else statement
    selected = page.apply(plain.add_columns(*page.extra))
    if isinstance(statement, Bound):
        names, rows = await fetch_detached(db, selected, position)
    else:
        result = await db.execute(selected, position)
        names, rows = list(result.keys()), result.all()
    kept: Any = IteratorResult(SimpleResultMetaData(names[:-EXTRA]), (tuple(row)[:-EXTRA] for row in rows))
    items = kept.scalars().all() if len(names) == EXTRA + 1 else kept.all()
    return list(items), lambda index: tuple(rows[index])[-EXTRA:]


def _scope(statement: Bound[Any] | Select[Any]) -> str:
    """Return a text that is the same for the pages of one list with the same parameters, and for no other."""
    if isinstance(statement, Bound):
        values = {name: _stable(value) for name, value in statement.values.items()}
        return f"{statement.source.function.__module__}.{statement.source.name} {values}"
    compiled = statement.compile(dialect=DIALECT)
    return f"{compiled} {compiled.params}"


def _stable(value: object) -> object:
    """Return a value whose `repr` is the same in every process: that of a set is not."""
    return sorted(value) if isinstance(value, set | frozenset) else value
