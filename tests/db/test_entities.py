"""Instances that traced statements return."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.db.database import Database
from app.db.statements import statement
from tests.db.samples import Part, Sample, fill
from tests.db.test_statements import Other, delete_sample, select_samples, update_sample


@statement
def select_pairs(weight: int) -> Select[Sample, Sample]:
    """Select two entities of one class."""
    return select(Sample, Other).join(Other, Sample.name < Other.name).where(Sample.weight == weight)


async def test_an_alias_is_an_entity_of_its_own(samples: Database) -> None:
    """Its columns differ from those of the other entity."""
    await fill(samples, {"name": "a"}, {"name": "b"})
    async with samples.read_only() as db:
        [pair] = await db.fetch_all(select_pairs(1))
    assert [sample.name for sample in pair] == ["a", "b"]


async def test_a_detached_instance_can_be_added(samples: Database) -> None:
    """It has an identity, so a change becomes an UPDATE."""
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
    """Pending changes are flushed first, so that none is lost."""
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
    """Change all rows and return their ids."""
    return update(Sample).values(weight=weight).returning(Sample.id)


async def test_instances_that_a_statement_may_have_changed_are_expired(samples: Database) -> None:
    """The session then reloads them."""
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
    """Insert a row with a composite key."""
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
