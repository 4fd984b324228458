"""What cannot be traced because its result would be wrong, and how many shapes are kept."""

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import uuid4

import pytest
from sqlalchemy import Date, Select, insert, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import ReturningInsert

from app.db.entities import TracingError
from app.db.statements import statement
from tests.db.samples import Sample


@statement
def select_formatted(name: str) -> Select[Sample]:
    """Would search for the text of the placeholder, if it were not refused."""
    return select(Sample).where(Sample.name.like(f"%{name}%"))


@statement
def select_compared(limit: int) -> Select[Sample]:
    """Would use the result of the first call for all calls."""
    return select(Sample).limit(limit if limit > 5 else 5)  # noqa: FURB136


@statement
def select_true(name: str) -> Select[Sample]:
    """Would keep the condition of the first call."""
    return select(Sample).where(Sample.name == name) if name else select(Sample)


@statement
def select_lowered(name: str) -> Select[Sample]:
    """Would compare with the lower case of the placeholder."""
    return select(Sample).where(Sample.name == name.lower())


@statement
def select_concatenated(name: str) -> Select[Sample]:
    """Would search for the text of the placeholder."""
    return select(Sample).where(Sample.name.like("%" + name))


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (select_formatted, "a"),
        (select_compared, 3),
        (select_true, "a"),
        (select_lowered, "A"),
        (select_concatenated, "a"),
    ],
)
def test_a_function_that_inspects_a_value_is_refused(function: Any, value: object) -> None:
    """The message names the function, the argument and the remedy."""
    with pytest.raises(TracingError, match=r"looks at the value of '(name|limit)'.*before the call"):
        function(value).trace()


@statement
def select_until_now(name: str) -> Select[Sample]:
    """Would not find rows that are created after the first call."""
    return select(Sample).where(Sample.name == name, Sample.made_at < datetime.now(UTC))


@statement
def insert_with_id(name: str) -> ReturningInsert[Sample]:
    """Would insert the same key twice."""
    return insert(Sample).values(name=name, id=uuid4()).returning(Sample)


@statement
def select_until_today(name: str) -> Select[Sample]:
    """Would keep the day of the first call; two calls in a row are equal."""
    return select(Sample).where(Sample.name == name, Sample.made_at < date.today())  # noqa: DTZ011


counter = iter(range(1000))


@statement
def select_counted(name: str) -> Select[Sample]:
    """Would keep the number of the first call."""
    return select(Sample).where(Sample.name == name, Sample.weight == next(counter))


@statement
def select_changing(name: str) -> Select[Sample]:
    """Would keep the SQL of the first call."""
    return select(Sample).where(Sample.name == name, text(f"weight > {next(counter)}"))


@statement
def select_in_days(name: str) -> Select[Sample]:
    """Would keep the day of the first call, inside a list."""
    return select(Sample).where(Sample.name == name, literal([date.today()], ARRAY(Date)).contains([date.today()]))  # noqa: DTZ011


@pytest.mark.parametrize(
    "function", [select_in_days, select_until_now, insert_with_id, select_until_today, select_counted, select_changing]
)
def test_a_value_that_is_made_in_the_function_is_refused(function: Any) -> None:
    """It would be the same for all calls."""
    with pytest.raises(TracingError, match=r"pass (it|what it is made of) as an argument"):
        function("a").trace()


# Shapes

MODES: tuple[Literal["a", "b", "c", "d", "e"], ...] = ("a", "b", "c", "d", "e")
