"""What needs SQLAlchemy at each execution, and calls that cannot be traced."""

import logging
from typing import Any, Literal
from uuid import UUID

import pytest
from sqlalchemy import Select, bindparam, delete, event, inspect, select, update
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import Database
from app.db.entities import TracingError
from app.db.statements import MAX_SHAPES, statement
from tests.db.samples import Colour, Sample, fill
from tests.db.test_tracing import MODES


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
    """Returns a union, not a select."""
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
    """The message has the remedy."""
    with pytest.raises(TracingError, match=remedy):
        function("a").trace()


def test_load_events_are_refused() -> None:
    """They would not be called."""

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
    """The type decides how the argument is traced."""
    with pytest.raises(TracingError, match="annotate 'name'"):

        @statement
        def unannotated(name):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return select(Sample).where(Sample.name == name)


def test_a_call_with_the_wrong_arguments_is_a_type_error() -> None:
    """The error is that of the function itself."""
    with pytest.raises(TypeError, match="missing"):
        select_by_event()  # type: ignore[call-arg]
    assert select_by_event(name="a").values == {"name": "a"}


@statement
def update_many(
    sample_id: UUID, changes: dict[str, Any], mode: Literal["a", "b", "c", "d", "e"]
) -> ReturningUpdate[Sample]:
    """Change some columns."""
    changed = update(Sample).where(Sample.id == sample_id).values(changes).returning(Sample)
    return changed.where(Sample.name != mode)


async def test_too_many_shapes_run_as_plain_sqlalchemy(samples: Database, logs: pytest.LogCaptureFixture) -> None:
    """They return the same rows, and one warning is logged."""
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
