"""What traced statements refuse, because it would be silently wrong; and how many shapes they keep."""

import logging
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Date, Select, bindparam, delete, event, insert, inspect, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.db.database import Database
from app.db.entities import TracingError
from app.db.statements import MAX_SHAPES, statement
from tests.db.samples import Colour, Sample, fill, samples

__all__ = ["samples"]


@statement
def select_formatted(name: str) -> Select[Sample]:
    """Would search for the text of the placeholder."""
    return select(Sample).where(Sample.name.like(f"%{name}%"))


@statement
def select_compared(limit: int) -> Select[Sample]:
    """Would decide by the first call for all."""
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
def test_a_value_that_is_looked_at_is_refused(function: Any, value: object) -> None:
    """The message names the function, the argument and the remedy."""
    with pytest.raises(TracingError, match=r"looks at the value of '(name|limit)'.*before the call"):
        function(value).trace()


@statement
def select_until_now(name: str) -> Select[Sample]:
    """Would find nothing that is made after the first call."""
    return select(Sample).where(Sample.name == name, Sample.made_at < datetime.now(UTC))


@statement
def insert_with_id(name: str) -> ReturningInsert[Sample]:
    """Would insert the same key twice."""
    return insert(Sample).values(name=name, id=uuid4()).returning(Sample)


@statement
def select_until_today(name: str) -> Select[Sample]:
    """Would stay at the day of the first call; two calls in a row are equal."""
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
    """It would be the same for ever."""
    with pytest.raises(TracingError, match=r"pass (it|what it is made of) as an argument"):
        function("a").trace()


@statement
def select_with_options(name: str) -> Select[Sample]:
    """Would lack the parts."""
    return select(Sample).options(selectinload(Sample.parts)).where(Sample.name == name)


@statement
def update_with_options(name: str) -> ReturningUpdate[Sample]:
    """Would ignore the options."""
    changed = update(Sample).where(Sample.name == name).values(weight=2).returning(Sample)
    return changed.execution_options(synchronize_session=False)


@statement
def select_with_parameter(name: str) -> Select[Sample]:
    """Would compare with NULL."""
    return select(Sample).where(Sample.name == name, Sample.weight == bindparam("weight"))


@statement
def select_represented(name: str) -> Select[Sample]:
    """Would search for the text of the placeholder."""
    return select(Sample).where(Sample.name == f"{name!r}")


@statement
def delete_silently(name: str) -> Any:
    """Would return no rows."""
    return delete(Sample).where(Sample.name == name)


@statement
def select_literal_list(name: str) -> Select[Sample]:
    """Would be another statement for each length."""
    return select(Sample).where(Sample.name == name, Sample.weight.in_([1, 2]))


@statement
def select_union(name: str) -> Any:
    """Is no select."""
    return select(Sample.name).where(Sample.name == name).union(select(Sample.name))


@pytest.mark.parametrize(
    ("function", "remedy"),
    [
        (select_with_options, "plain SQLAlchemy"),
        (delete_silently, "returning"),
        (update_with_options, "plain SQLAlchemy"),
        (select_with_parameter, "argument of the function"),
        (select_represented, "before the call"),
        (select_literal_list, "pass the list as an argument"),
        (select_union, "subquery"),
    ],
)
def test_what_needs_sqlalchemy_at_each_execution_is_refused(function: Any, remedy: str) -> None:
    """With the remedy."""
    with pytest.raises(TracingError, match=remedy):
        function("a").trace()


def test_load_events_are_refused() -> None:
    """They would not run."""

    def on_load(*_: object) -> None:
        return None

    event.listen(Sample, "load", on_load)
    try:
        with pytest.raises(TracingError, match="load events"):
            select_by_event("a").trace()
    finally:
        event.remove(Sample, "load", on_load)


@statement
def select_by_event(name: str) -> Select[Sample]:
    """Select samples."""
    return select(Sample).where(Sample.name == name)


def test_an_argument_needs_an_annotation() -> None:
    """Its type decides how it is traced."""
    with pytest.raises(TracingError, match="annotate 'name'"):

        @statement
        def unannotated(name):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return select(Sample).where(Sample.name == name)


def test_a_call_with_the_wrong_arguments_is_a_type_error() -> None:
    """As for the function itself."""
    with pytest.raises(TypeError, match="missing"):
        select_by_event()  # type: ignore[call-arg]
    assert select_by_event(name="a").values == {"name": "a"}


# Shapes

MODES: tuple[Literal["a", "b", "c", "d", "e"], ...] = ("a", "b", "c", "d", "e")


@statement
def update_many(
    sample_id: UUID, changes: dict[str, Any], mode: Literal["a", "b", "c", "d", "e"]
) -> ReturningUpdate[Sample]:
    """Change some columns."""
    changed = update(Sample).where(Sample.id == sample_id).values(changes).returning(Sample)
    return changed.where(Sample.name != mode)


async def test_too_many_shapes_run_as_plain_sqlalchemy(samples: Database, logs: pytest.LogCaptureFixture) -> None:
    """With the same rows, and one warning."""
    [sample_id] = await fill(samples, {"name": "start"})
    columns = ("name", "note", "weight", "data", "tags", "colour")
    values: dict[str, Any] = {"name": "n", "note": "x", "weight": 2, "data": {}, "tags": [], "colour": Colour.BLUE}
    async with samples.unit_of_work() as db:
        for number in range(MAX_SHAPES // 4):
            chosen = {column: values[column] for bit, column in enumerate(columns) if number >> bit & 1}
            for mode in MODES:
                changed = await db.fetch_one(update_many(sample_id, chosen or {"weight": 2}, mode))
                assert changed is not None
                assert inspect(changed).detached
                assert {column: getattr(changed, column) for column in chosen} == chosen
    warnings = [record for record in logs.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "too many shapes" in str(warnings[0].msg)
