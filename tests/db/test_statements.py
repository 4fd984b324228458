"""Traced statements: what they return, and what they refuse."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, delete, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from app.db.database import Database
from app.db.statements import statement
from tests.db.samples import Colour, Part, Sample, fill, samples

__all__ = ["samples"]


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
    """One compiled statement for each shape, whatever the values."""
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
    """And an entity that is in several rows is one instance."""
    first, _ = await fill(samples, {"name": "a"}, {"name": "b"})
    async with samples.unit_of_work() as db:
        db.add_all([Part(sample_id=first, number=1), Part(sample_id=first, number=2)])
        await db.commit()
        rows = await db.fetch_all(select_with_parts(1))
    assert sorted((sample.name, part and part.number) for sample, part in rows if part) == [("a", 1), ("a", 2)]
    assert [sample.name for sample, part in rows if part is None] == ["b"]
    assert len({id(sample) for sample, _ in rows if sample.id == first}) == 1


Other = aliased(Sample)


@statement
def select_pairs(weight: int) -> Select[Sample, Sample]:
    """Select two entities of one class."""
    return select(Sample, Other).join(Other, Sample.name < Other.name).where(Sample.weight == weight)


async def test_an_alias_is_an_entity_of_its_own(samples: Database) -> None:
    """Its columns are not those of the other."""
    await fill(samples, {"name": "a"}, {"name": "b"})
    async with samples.read_only() as db:
        [pair] = await db.fetch_all(select_pairs(1))
    assert [sample.name for sample in pair] == ["a", "b"]


# Identity


async def test_a_detached_instance_can_be_added(samples: Database) -> None:
    """It has its identity, so a change becomes an UPDATE."""
    [sample_id] = await fill(samples, {"name": "a"})
    async with samples.read_only() as db:
        [sample] = await db.fetch_all(select_samples("a", None, None))
    assert inspect(sample).detached
    async with samples.unit_of_work() as db:
        db.add(sample)
        sample.name = "b"
    async with samples.read_only() as db:
        assert await db.scalar(select(Sample.name).where(Sample.id == sample_id)) == "b"


async def test_an_instance_that_the_session_holds_is_refreshed(samples: Database) -> None:
    """Pending changes are written first, so that none is lost."""
    [sample_id] = await fill(samples, {"name": "a"})
    async with samples.unit_of_work() as db:
        held = await db.get_one(Sample, sample_id)
        held.note = "pending"
        changed = await db.fetch_one(update_sample(sample_id, {"name": "b"}))
        assert changed is held
        assert (held.name, held.note) == ("b", "pending")
        assert await db.fetch_one(delete_sample(sample_id)) is held
        assert held not in db
    async with samples.read_only() as db:
        assert await db.scalar(select(func.count()).select_from(Sample)) == 0


@statement
def reweigh(weight: int) -> ReturningUpdate[UUID]:
    """Change all rows, and return their ids only."""
    return update(Sample).values(weight=weight).returning(Sample.id)


async def test_instances_that_a_statement_may_have_changed_are_expired(samples: Database) -> None:
    """So that the session does not show what is no longer true."""
    [sample_id] = await fill(samples, {"name": "a"})
    async with samples.unit_of_work() as db:
        held = await db.get_one(Sample, sample_id)
        await db.fetch_all(reweigh(7))
        await db.refresh(held)
        assert held.weight == 7
        with pytest.raises(ZeroDivisionError):
            async with db.begin_nested():
                assert (await db.fetch_one(update_sample(sample_id, {"name": "b"}))) is held
                raise ZeroDivisionError
        await db.refresh(held)
        assert held.name == "a"


@statement
def insert_part(sample_id: UUID, number: int) -> ReturningInsert[Part]:
    """Insert a row with a key of two columns."""
    return insert(Part).values(sample_id=sample_id, number=number).returning(Part)


async def test_a_key_of_several_columns_and_pending_instances(samples: Database) -> None:
    """A pending instance is inserted before a traced statement that needs it."""
    async with samples.unit_of_work() as db:
        sample = Sample(id=uuid4(), name="a")
        db.add(sample)
        part = await db.fetch_one(insert_part(sample.id, 7))
        assert inspect(part).identity == (sample.id, 7)
        with pytest.raises(IntegrityError):
            async with db.begin_nested():
                await db.fetch_one(insert_part(uuid4(), 1))
