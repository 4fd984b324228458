"""The arguments of traced statements, and their placeholders while a function is traced."""

import enum
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal, NoReturn, Union, get_args, get_origin
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    LargeBinary,
    Numeric,
    String,
    Uuid,
    bindparam,
    func,
    select,
)
from sqlalchemy.types import TypeEngine

from app.db.entities import TracingError
from app.db.traced import ValueGetter

ELEMENT_TYPES: dict[Any, TypeEngine[Any]] = {
    bool: Boolean(),
    bytes: LargeBinary(),
    date: Date(),
    datetime: DateTime(timezone=True),
    Decimal: Numeric(),
    float: Float(),
    int: BigInteger(),
    str: String(),
    UUID: Uuid(),
}
"""The types of the elements of lists, for `column.in_(argument)`."""


class Placeholder:
    """Stands for an argument whose value is not known yet; a bound parameter for SQLAlchemy."""

    def __init__(self, function: str, argument: str, name: str, element: TypeEngine[Any] | None) -> None:
        """Create a parameter of this name; `element` is the type of the elements of a list."""
        self._argument, self._name, self._element, self._function = argument, name, element, function

    def __clause_element__(self) -> Any:  # noqa: ANN401  SQLAlchemy's protocol
        if self._element is None:
            return bindparam(self._name)
        # One parameter for a list of any length: IN (...) would be one statement for each length.
        return select(func.unnest(bindparam(self._name, type_=ARRAY(self._element)), type_=self._element))

    def _refuse(self, *_: object) -> NoReturn:
        raise TracingError(
            f"{self._function} looks at the value of {self._argument!r}, which is not known while the statement is "
            "traced. Compute what you need before the call and pass the result (in a comparison, write the column "
            "first), or use plain SQLAlchemy"
        )

    __str__ = __repr__ = __format__ = __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse
    __int__ = __float__ = _refuse
    __index__ = __hash__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __truediv__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") or name in {"is_clause_element", "_role_name"}:
            raise AttributeError(name)  # Attributes that SQLAlchemy and Python read from any object.
        self._refuse()


@dataclass(frozen=True, slots=True)
class Argument:
    """How an argument is traced, by its annotation."""

    function: str
    name: str
    kind: Literal["value", "static", "mapping", "array"]
    element: TypeEngine[Any] | None = None
    """Of an array."""

    @classmethod
    def of(cls, function: str, name: str, annotation: Any) -> "Argument":  # noqa: ANN401
        """Read an annotation; raise TracingError if it is missing or cannot be a parameter."""
        if annotation is None:
            raise TracingError(f"{function}: annotate {name!r}, because its type decides how it is traced")
        kinds = [kind for kind in _alternatives(annotation) if kind is not types.NoneType] or [object]
        if len(kinds) > 1:
            raise TracingError(f"{function}: {name!r} has several types; give it one, or one type and None")
        [kind] = kinds
        origin = get_origin(kind) or kind
        if origin is Literal or (isinstance(kind, type) and (kind is bool or issubclass(kind, enum.Enum))):
            return cls(function, name, "static")
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return cls(function, name, "mapping")
        if isinstance(origin, type) and issubclass(origin, Collection) and not issubclass(origin, str | bytes):
            element = ELEMENT_TYPES.get((get_args(kind) or (None,))[0])
            if element is None:
                raise TracingError(f"{function}: the elements of {name!r} have no array type in PostgreSQL")
            return cls(function, name, "array", element)
        return cls(function, name, "value")

    def shape(self, value: Any) -> Any:  # noqa: ANN401
        """Return the part of a value that the SQL depends on."""
        if value is None or self.kind == "static":
            return value
        return tuple(value) if self.kind == "mapping" else True

    def symbol(self, value: Any, getters: dict[str, ValueGetter]) -> Any:  # noqa: ANN401
        """Return a placeholder, or the value itself if it is static; register its bind parameters in `getters`."""
        if value is None or self.kind == "static":
            return value
        if self.kind == "mapping":
            return {key: self._make_placeholder((self.name, key), getters) for key in value}
        return self._make_placeholder((self.name,), getters)

    def _make_placeholder(self, path: tuple[str, ...], getters: dict[str, ValueGetter]) -> Placeholder:
        parameter = "__".join(("argument", *path))
        if len(path) > 1:
            getters[parameter] = lambda values: values[path[0]][path[1]]
        elif self.kind == "array":
            getters[parameter] = lambda values: list(values[path[0]])
        else:
            getters[parameter] = itemgetter(path[0])
        element = self.element if len(path) == 1 else None
        return Placeholder(self.function, ".".join(path), parameter, element)


def _alternatives(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    return get_args(annotation) if get_origin(annotation) in {Union, types.UnionType} else (annotation,)
