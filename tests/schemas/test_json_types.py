"""Values that JSON writes as text, in strict bodies."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import Field, ValidationError, WithJsonSchema

from app.schemas.json_types import DECIMAL_TEXT, DateText, JsonObject, TimeText, UuidText, decimal_schema
from app.schemas.types import InputModel

ID = "01a2188e-a4d6-7498-a2d9-67618ee9e20e"


class Values(InputModel):
    """One field of each type."""

    day: DateText | None = None
    moment: TimeText | None = None
    key: UuidText | None = None
    price: (
        Annotated[
            Decimal,
            DECIMAL_TEXT,
            Field(max_digits=5, decimal_places=2),
            WithJsonSchema(decimal_schema(5, 2)),
        ]
        | None
    ) = None
    data: JsonObject | None = None


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("day", "2026-01-02", date(2026, 1, 2)),
        ("moment", "2026-01-02t03:04:05.5z", datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)),
        ("key", ID.upper(), UUID(ID)),
        ("price", "-123.45", Decimal("-123.45")),
        ("data", {"a": [1, None, "\\u0000"]}, {"a": [1, None, "\\u0000"]}),
    ],
)
def test_text_is_read_and_values_stay(field: str, text: object, value: object) -> None:
    """Both from a body and from Python."""
    for given in (text, value):
        assert getattr(Values.model_validate({field: given}), field) == value


REFUSED: dict[str, tuple[object, ...]] = {
    "day": ("2026-02-30", "2026-1-2", 1, "٢٠٢٦-01-02"),
    "moment": ("2026-01-02T03:04:05", "2026-01-02", 1, "2026-01-02T25:00:00Z"),
    "key": (ID.replace("-", ""), f"{{{ID}}}", 1),
    "price": (1, 1.5, "1.234", "1234.5", "NaN", "1e2", " 1"),
    "data": ([], {"a": "\0"}, {"a\0": 1}, {"a": float("inf")}, {"a": "\ud800"}, {"a": object()}),
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in REFUSED.items() for value in values])
def test_other_forms_are_refused(field: str, value: object) -> None:
    """Each with one error about the field."""
    with pytest.raises(ValidationError) as refused:
        Values.model_validate({field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_the_schemas_describe_text() -> None:
    """A generated client sends what is accepted."""
    schema = json.dumps(Values.model_json_schema())
    assert '"format": "date"' in schema
    assert '"pattern": "^-?[0-9]{1,3}([.][0-9]{1,2})?$"' in schema
