"""Traced statements: what they return, and what they refuse."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, inspect, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from app.db.database import Database
from app.db.statements import statement
from tests.db.samples import Colour, Part, Sample, fill


@statement
def select_samples(name: str | None, colour: Colour | None, names: Sequence[str] | None) -> Select[Sample]:
    """Select samples by optional conditions."""
    found = select(Sample).order_by(Sample.name)
    if name is not None:
        found = found.where(Sample.name == name)
    if colour is not None:
        found = found.where(Sample.colour == colour)
    if names is not None:
        found = found.where(Sample.name.in_(names))
    return found


@statement
def insert_sample(values: dict[str, Any]) -> ReturningInsert[Sample]:
    """Insert a sample."""
    return insert(Sample).values(values).returning(Sample)


@statement
def update_sample(sample_id: UUID, changes: dict[str, Any]) -> ReturningUpdate[Sample]:
    """Change a sample."""
    return update(Sample).where(Sample.id == sample_id).values(changes).returning(Sample)


@statement
def delete_sample(sample_id: UUID) -> ReturningDelete[Sample]:
    """Delete a sample."""
    return delete(Sample).where(Sample.id == sample_id).returning(Sample)


# Rows


async def test_values_of_every_type_come_back_as_the_orm_returns_them(samples: Database) -> None:
    """Arrays, enums, JSON and defaults, from INSERT and SELECT."""
    values: dict[str, Any] = {
        "name": "a",
        "note": None,
        "colour": Colour.BLUE,
        "tags": ["x", "y"],
        "data": {"deep": [1, None]},
    }
    values |= {"price": Decimal("9.90"), "ratio": 0.5}
    async with samples.unit_of_work() as db:
        inserted = await db.fetch_one(insert_sample(values))
        selected = await db.fetch_one(select_samples("a", Colour.BLUE, None))
        plain = await db.scalar(select(Sample))
    for sample in (inserted, selected):
        assert sample is not None
        assert plain is not None
        for attribute in inspect(Sample).mapper.column_attrs:
            assert getattr(sample, attribute.key) == getattr(plain, attribute.key), attribute.key


async def test_defaults_are_computed_for_each_row(samples: Database) -> None:
    """Not once for the statement."""
    async with samples.unit_of_work() as db:
        [first] = await db.fetch_all(insert_sample({"name": "a"}))
        [second] = await db.fetch_all(insert_sample({"name": "b"}))
    assert first.id != second.id
    assert (first.colour, first.tags, first.weight) == (Colour.RED, [], 1)
    assert first.tags is not second.tags


async def test_optional_conditions_and_lists_of_any_length(samples: Database) -> None:
    """One compiled statement for each shape of any values."""
    await fill(samples, {"name": "a"}, {"name": "b", "colour": Colour.BLUE}, {"name": "c"})

    async def names(*arguments: Any) -> str:
        async with samples.read_only() as db:
            return "".join(sample.name for sample in await db.fetch_all(select_samples(*arguments)))

    assert await names(None, None, None) == "abc"
    assert await names("b", None, None) == "b"
    assert await names(None, Colour.RED, None) == "ac"
    assert await names(None, None, []) == ""
    assert await names(None, None, ["a", "c", "d"]) == "ac"
    assert await names(None, None, frozenset({"b"})) == "b"


@statement
def select_names(weight: int) -> Select[str]:
    """Select single values."""
    return select(Sample.name).where(Sample.weight == weight)


@statement
def count_parts(least: int) -> Select[Sample, str, int]:
    """Select an entity, a column of it, and an aggregate over a join."""
    parts = func.count(Part.number).label("parts")
    return (
        select(Sample, Sample.name, parts)
        .outerjoin(Part, Part.sample_id == Sample.id)
        .where(Sample.weight >= least)
        .group_by(Sample.id)
        .order_by(Sample.name)
    )


async def test_columns_joins_and_aggregates(samples: Database) -> None:
    """Single columns are values; several are rows with names."""
    first, _ = await fill(samples, {"name": "a"}, {"name": "b"})
    async with samples.unit_of_work() as db:
        db.add_all([Part(sample_id=first, number=1), Part(sample_id=first, number=2)])
        assert sorted(await db.fetch_all(select_names(1))) == ["a", "b"]
        rows = await db.fetch_all(count_parts(0))
    assert [(row.Sample.id == first, row.name, row.parts) for row in rows] == [(True, "a", 2), (False, "b", 0)]
    sample, name, parts = rows[0]
    assert (sample.name, name, parts) == ("a", "a", 2)


@statement
def select_with_parts(weight: int) -> Select[Sample, Part]:
    """Select two entities, of which the second may be missing."""
    return select(Sample, Part).outerjoin(Part, Part.sample_id == Sample.id).where(Sample.weight == weight)


async def test_the_missing_side_of_an_outer_join_is_none(samples: Database) -> None:
    """An entity that is in several rows is one instance."""
    first, _ = await fill(samples, {"name": "a"}, {"name": "b"})
    async with samples.unit_of_work() as db:
        db.add_all([Part(sample_id=first, number=1), Part(sample_id=first, number=2)])
        await db.commit()
        rows = await db.fetch_all(select_with_parts(1))
    assert sorted((sample.name, part and part.number) for sample, part in rows if part) == [("a", 1), ("a", 2)]
    assert [sample.name for sample, part in rows if part is None] == ["b"]
    assert len({id(sample) for sample, _ in rows if sample.id == first}) == 1


Other = aliased(Sample)


# Identity
