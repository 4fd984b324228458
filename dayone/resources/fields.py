"""Fields as they are given on the command line: name:type[(arguments)][:unique][:indexed][?][=default]."""

import keyword
import re
from dataclasses import dataclass

from dayone.errors import ToolError

ARGUMENTS = {
    "str": 1,
    "decimal": 2,
    "enum": None,
    "text": 0,
    "int": 0,
    "bool": 0,
    "date": 0,
    "datetime": 0,
    "uuid": 0,
    "json": 0,
}
"""The types, and how many arguments each may have; None: one or more."""
SORTABLE = {"str", "int", "decimal", "date", "datetime", "uuid"}
UNIQUE = {"str", "int", "uuid"}
SHORTEST_UNIQUE = 8
LONGEST_NAME, LONGEST_TEXT, MOST_DIGITS = 40, 10_000, 38
TAKEN = frozenset(
    "id owner_id created_at updated_at version metadata registry limit cursor sort created_after created_before"  # noqa: SIM905
    " items query self copy json dict schema construct validate".split()
)
"""Columns that each resource has, parameters of each list, and names of SQLAlchemy and Pydantic."""
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
    collation column concurrently constraint create cross current_date current_time current_user default
    deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike
    in initially inner intersect into is isnull join lateral leading left like limit localtime natural not notnull
    null offset on only or order outer overlaps placing primary references returning right select session_user
    similar some symmetric table tablesample then to trailing true union unique user using variadic verbose when
    where window with
        """,
    )
)
"""Words that PostgreSQL reserves (its manual, appendix C)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a resource."""

    name: str
    kind: str
    arguments: tuple[str, ...] = ()
    is_unique: bool = False
    is_indexed: bool = False
    is_optional: bool = False
    default: str | None = None

    @property
    def length(self) -> int:
        """The greatest number of characters of a str, text or enum."""
        if self.kind == "enum":
            return max(len(value) for value in self.arguments)
        return int(self.arguments[0]) if self.arguments else {"str": 200}.get(self.kind, LONGEST_TEXT)

    @property
    def digits(self) -> tuple[int, int]:
        """The digits of a decimal: all of them, and those after the point."""
        total, places = (int(argument) for argument in self.arguments or ("12", "2"))
        return total, places

    @property
    def is_sort_column(self) -> bool:
        """Whether lists can be sorted by it: NULL is neither before nor after another value."""
        return self.is_indexed and not self.is_optional


def parse_fields(texts: list[str]) -> list[Field]:
    """Read all fields; raise ToolError if one is invalid."""
    fields = [parse_field(text) for text in texts]
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise ToolError(f"The field {name!r} is given twice")
    if all(field.is_optional or field.default is not None for field in fields):
        raise ToolError("At least one field must be required: give one without a question mark and without a default")
    return fields


def parse_field(text: str) -> Field:
    """Read one field."""
    declaration, has_default, default = text.partition("=")
    match = re.fullmatch(r"(\w+):([a-z]+)(?:\(([^()]*)\))?((?::[a-z]+)*)(\?)?((?::[a-z]+)*)", declaration)
    if match is None:
        raise ToolError(
            f"{text!r} is not a field. Write name:type, for example title:str pages:int? genre:enum(novel,essay)"
        )
    name, kind, listed, *flag_texts = match.groups(default="")
    flags = [flag for flag in f"{flag_texts[0]}{flag_texts[2]}".split(":") if flag]
    arguments = tuple(part.strip() for part in listed.split(",")) if listed else ()
    field = Field(
        name,
        kind,
        arguments,
        "unique" in flags,
        "indexed" in flags,
        flag_texts[1] == "?",
        default if has_default else None,
    )
    for problem in (_name_problem(field), _type_problem(field), _flag_problem(field, flags), _default_problem(field)):
        if problem:
            raise ToolError(f"The field {text!r} is invalid: {problem}")
    return field


def _name_problem(field: Field) -> str | None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", field.name) or len(field.name) > LONGEST_NAME:
        return f"use at most {LONGEST_NAME} lower-case letters, digits and single underscores for its name"
    if field.name in TAKEN or field.name.startswith("model_"):
        return f"{field.name!r} already has a meaning in every resource"
    if keyword.iskeyword(field.name) or field.name in RESERVED:
        return f"{field.name!r} is a word that Python or PostgreSQL reserves"
    return None


def _type_problem(field: Field) -> str | None:
    if field.kind not in ARGUMENTS:
        return f"there is no type {field.kind!r}. The types are: {', '.join(ARGUMENTS)}"
    if field.kind == "enum":
        return _enum_problem(field.arguments)
    allowed = ARGUMENTS[field.kind]
    if len(field.arguments) not in (0, allowed) or not all(value.isdecimal() for value in field.arguments):
        return f"{field.kind} takes {allowed or 'no'} numbers in parentheses"
    if field.kind == "str" and not 1 <= field.length <= LONGEST_TEXT:
        return f"a length is between 1 and {LONGEST_TEXT}"
    if field.kind == "decimal" and not 0 <= field.digits[1] < field.digits[0] <= MOST_DIGITS:
        return f"a decimal has at most {MOST_DIGITS} digits, and fewer of them after the point: decimal(12,2)"
    return None


def _enum_problem(values: tuple[str, ...]) -> str | None:
    are_words = all(re.fullmatch(r"[a-z][a-z0-9_]{0,39}", value) for value in values)
    if not values or not are_words or len(set(values)) < len(values):
        return "an enum has one or more different lower-case words: enum(novel,essay)"
    return None


def _flag_problem(field: Field, flags: list[str]) -> str | None:
    if set(flags) - {"unique", "indexed"}:
        return "the flags are unique and indexed"
    if field.is_indexed and field.kind not in SORTABLE:
        return f"only {', '.join(sorted(SORTABLE))} can be indexed"
    if field.is_indexed and field.is_optional:
        return "an optional field cannot be indexed: null has no place in an order"
    return _unique_problem(field) if field.is_unique else None


def _unique_problem(field: Field) -> str | None:
    if field.kind not in UNIQUE:
        return f"only {', '.join(sorted(UNIQUE))} can be unique"
    if field.kind == "str" and field.length < SHORTEST_UNIQUE:
        return f"a unique str needs {SHORTEST_UNIQUE} characters or more"
    if field.default is not None:
        return "a unique field cannot have a default"
    return None


def _default_problem(field: Field) -> str | None:
    default = field.default
    if default is None:
        return None
    patterns = {
        "str": rf'[^"\\\x00-\x1f]{{1,{field.length}}}',
        "text": r'[^"\\\x00-\x1f]{0,200}',
        "int": r"-?(0|[1-9]\d{0,9})",
        "bool": "true|false",
        "enum": "|".join(field.arguments),
    }
    if field.kind not in patterns:
        return f"{field.kind} has no default"
    is_too_large = field.kind == "int" and default.lstrip("-").isdecimal() and not -(2**31) <= int(default) < 2**31
    if is_too_large or not re.fullmatch(patterns[field.kind], default):
        return f"{default!r} is not a value of {field.kind}"
    return None
