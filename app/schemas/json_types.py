"""Types for JSON bodies whose values JSON writes as text: dates, times, ids, decimal numbers; and JSON itself.

Bodies are strict: without these types a field accepts Python's values, but not their text.
"""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.schemas.types import RFC_3339

ESCAPED_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")


def text_of(kind: type, form: str, parse: Callable[[str], object], example: str) -> BeforeValidator:
    """Read values of a type from text of one form; values that have the type already stay as they are."""

    def read(value: object) -> object:
        if isinstance(value, kind):
            return value
        if isinstance(value, str) and re.fullmatch(form, value, re.ASCII):
            try:
                return parse(value)
            except ValueError:
                pass  # 2026-02-30
        raise PydanticCustomError("text_format", "Input should be text such as {example}", {"example": example})

    return BeforeValidator(read)


def check_storable(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what `jsonb` cannot store: NUL, lone surrogates, numbers that are not finite."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError):
        raise PydanticCustomError("json_unstorable", "Input should be Unicode text and finite numbers") from None
    if ESCAPED_NUL.search(text):
        raise PydanticCustomError("json_unstorable", "Input should not contain NUL")
    return value


def decimal_schema(total: int, places: int) -> dict[str, Any]:
    """Return the JSON schema of a decimal number with so many digits, of which some are after the point."""
    fraction = rf"([.][0-9]{{1,{places}}})?" if places else ""
    example = f"1.{'0' * (places - 1)}5" if places else "1"
    form = rf"^-?[0-9]{{1,{total - places}}}{fraction}$"
    return {"type": "string", "maxLength": total + 2, "pattern": form, "examples": [example]}


DateText = Annotated[
    date, text_of(date, r"\d{4}-\d{2}-\d{2}", date.fromisoformat, "2026-01-02"), Field(examples=["2026-01-02"])
]
"""A date as in RFC 3339."""
TimeText = Annotated[
    AwareDatetime,
    text_of(datetime, RFC_3339.pattern, lambda text: datetime.fromisoformat(text.upper()), "2026-01-02T03:04:05Z"),
    Field(examples=["2026-01-02T03:04:05Z"]),
]
"""A time with its offset, as in RFC 3339."""
UuidText = Annotated[
    UUID,
    text_of(UUID, "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", UUID, "01a2188e-a4d6-7498-a2d9-67618ee9e20e"),
]
"""A UUID as in RFC 9562."""
DECIMAL_TEXT = text_of(Decimal, r"-?\d{1,40}(\.\d{1,40})?", Decimal, "1.50")
"""Decimal numbers, which as JSON numbers would be rounded to binary fractions:
`Annotated[Decimal, DECIMAL_TEXT, Field(max_digits=12, decimal_places=2), WithJsonSchema(decimal_schema(12, 2))]`."""
JsonObject = Annotated[dict[str, Any], AfterValidator(check_storable), Field(examples=[{"colour": "red"}])]
"""Any JSON object, for a column of the type `JSONB`."""
