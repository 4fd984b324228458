"""What each type of field becomes in the model, the schemas, the migration and the tests."""

from collections.abc import Callable
from dataclasses import dataclass

from dayone.resources.fields import Field
from dayone.resources.names import camel

MINIMUM, MAXIMUM = "-2_147_483_648", "2_147_483_647"
NAMES_IN_SCHEMAS = {"Annotated", "Decimal", "Field", "Id", "Literal", "Timestamp"}
NAMED = {"date": "DateText", "datetime": "TimeText", "uuid": "UuidText", "json": "JsonObject", "bool": "bool"}
"""The types whose values need no bounds, and what clients may send for them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pieces of code for a type."""

    annotation: str
    """The type of the attribute."""
    column: str
    """The type of the column; empty if SQLAlchemy derives it from the annotation."""
    migration: str
    accepted: str
    """What clients may send."""
    bound: str
    """The bounds of what they read, as arguments of `Field`."""
    json_values: tuple[str, str]
    """Two values as JSON in Python."""
    values: tuple[str, str]
    """The same values in Python."""
    default: str | None = None


def kind_of(field: Field) -> Kind:
    """Return the pieces for a field."""
    return KINDS[field.kind](field)


def alias_of(field: Field, class_name: str) -> str:
    """Return the name of the type of a field in the schemas; a plain type has none."""
    if field.kind in NAMED:
        return NAMED[field.kind]
    alias = camel(field.name)
    is_taken = alias in NAMES_IN_SCHEMAS or alias.startswith(class_name)
    return f"{alias}Value" if is_taken else alias


def _text(field: Field, least: str) -> Kind:
    quoted = (f'"{"first"[: field.length]}"', f'"{"second"[: field.length]}"')
    bounds = f"{least}max_length={field.length:_}, pattern=NO_NUL"
    return Kind(
        "str",
        f"String({field.length:_})",
        f"sa.String({field.length:_})",
        f"Annotated[str, StringConstraints({bounds}), Field(examples=[{quoted[0]}])]",
        f"max_length={field.length:_}",
        quoted,
        quoted,
        None if field.default is None else f'"{field.default}"',
    )


def _str(field: Field) -> Kind:
    return _text(field, "min_length=1, ")


def _text_kind(field: Field) -> Kind:
    return _text(field, "")


def _int(field: Field) -> Kind:
    bounds = f"ge={MINIMUM}, le={MAXIMUM}"
    values = ("1", "2")
    return Kind(
        "int",
        "",
        "sa.Integer()",
        f"Annotated[int, Field({bounds}, examples=[1])]",
        bounds,
        values,
        values,
        field.default,
    )


def _decimal(field: Field) -> Kind:
    total, places = field.digits
    bounds = f"max_digits={total}, decimal_places={places}"
    accepted = f"Annotated[Decimal, DECIMAL_TEXT, Field({bounds}), WithJsonSchema(decimal_schema({total}, {places}))]"
    values = [f"{number}.{'0' * (places - 1)}5" if places else str(number) for number in (1, 2)]
    column = f"Numeric({total}, {places})"
    quoted = (f'"{values[0]}"', f'"{values[1]}"')
    return Kind(
        "Decimal", column, f"sa.{column}", accepted, "", quoted, (f"Decimal({quoted[0]})", f"Decimal({quoted[1]})")
    )


def _bool(field: Field) -> Kind:
    values = ("True", "False")
    default = field.default and field.default.capitalize()
    return Kind("bool", "", "sa.Boolean()", NAMED["bool"], "", values, values, default)


def _date(_: Field) -> Kind:
    json_values = ('"2026-01-02"', '"2026-01-03"')
    return Kind("date", "", "sa.Date()", NAMED["date"], "", json_values, ("date(2026, 1, 2)", "date(2026, 1, 3)"))


def _datetime(_: Field) -> Kind:
    json_values = ('"2026-01-02T03:04:05Z"', '"2026-01-03T03:04:05Z"')
    values = ("datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)", "datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)")
    return Kind("datetime", "", "sa.DateTime(timezone=True)", NAMED["datetime"], "", json_values, values)


def _uuid(_: Field) -> Kind:
    values = ("01a2b3c4-0000-7000-8000-000000000001", "01a2b3c4-0000-7000-8000-000000000002")
    json_values = (f'"{values[0]}"', f'"{values[1]}"')
    return Kind(
        "UUID", "", "sa.Uuid()", NAMED["uuid"], "", json_values, (f"UUID({json_values[0]})", f"UUID({json_values[1]})")
    )


def _enum(field: Field) -> Kind:
    quoted = tuple(f'"{value}"' for value in field.arguments)
    values = (quoted[0], quoted[-1])
    return Kind(
        "str",
        f"String({field.length})",
        f"sa.String({field.length})",
        f"Literal[{', '.join(quoted)}]",
        "",
        values,
        values,
        None if field.default is None else f'"{field.default}"',
    )


def _json(_: Field) -> Kind:
    values = ('{"a": 1}', '{"b": [True, None]}')
    return Kind(
        "dict[str, Any]",
        "JSONB",
        "postgresql.JSONB()",
        NAMED["json"],
        "",
        values,
        values,
    )


KINDS: dict[str, Callable[[Field], Kind]] = {
    "str": _str,
    "text": _text_kind,
    "int": _int,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "uuid": _uuid,
    "enum": _enum,
    "json": _json,
}
