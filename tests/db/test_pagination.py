"""Keyset paging of any select."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Integer, Select, String, column, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB

from app.core.exceptions import InvalidCursorError
from app.db.database import Database
from app.db.pagination import SortOrder, paginate
from app.db.session import Session
from app.db.statements import Bound, statement
from tests.db.samples import Colour, Part, Sample, fill

ORDER = SortOrder(Sample.name, Sample.weight, Sample.made_at, key=Sample.id)


@dataclass
class Query:
    """The parameters of a page."""

    limit: int = 2
    cursor: str | None = None
    sort: str | None = None


@statement
def select_samples(colour: Colour | None) -> Select[Sample]:
    """Select samples."""
    found = select(Sample)
    return found if colour is None else found.where(Sample.colour == colour)


def plain_samples(colour: Colour | None) -> Select[Sample]:
    """Select samples with plain SQLAlchemy."""
    found = select(Sample)
    return found if colour is None else found.where(Sample.colour == colour)


async def read_all(
    db: Session, statement: Bound[Any] | Select[Any], order: SortOrder = ORDER, **query: Any
) -> list[Any]:
    """Follow the cursors to the last page."""
    rows: list[Any] = []
    page = await paginate(db, statement, order, Query(**query))
    rows.extend(page.items)
    while page.next_cursor:
        page = await paginate(db, statement, order, Query(cursor=page.next_cursor, **query))
        rows.extend(page.items)
    return rows


@pytest.mark.parametrize("make", [select_samples, plain_samples])
@pytest.mark.parametrize("sort", [None, "name", "-name", "weight", "-weight", "made_at"])
async def test_pages_hold_every_row_once(samples: Database, make: Any, sort: str | None) -> None:
    """In both directions, with equal sort values, traced or not."""
    await fill(samples, *({"name": f"{number // 2}", "weight": number % 3} for number in range(7)))
    async with samples.read_only() as db:
        rows = await read_all(db, make(None), sort=sort)
        assert await read_all(db, make(Colour.BLUE), sort=sort) == []
    assert len({row.id for row in rows}) == len(rows) == 7
    values = [getattr(row, (sort or "name").lstrip("-")) for row in rows]
    assert values == sorted(values, reverse=bool(sort and sort.startswith("-")))


@pytest.mark.parametrize("make", [select_samples, plain_samples])
async def test_no_row_is_lost_or_repeated_while_others_write(samples: Database, make: Any) -> None:
    """Rows before and after the position are inserted and deleted."""
    ids = await fill(samples, *({"name": name} for name in "bdfhj"))
    async with samples.read_only() as db:
        first = await paginate(db, make(None), ORDER, Query())
        await fill(samples, *({"name": name} for name in "acgz"))
        async with samples.unit_of_work() as writing:
            await writing.execute(delete(Sample).where(Sample.id.in_([ids[0], ids[4]])))
        rest = await read_all(db, make(None), cursor=None, limit=100)
        second = await paginate(db, make(None), ORDER, Query(limit=100, cursor=first.next_cursor))
    assert [row.name for row in first.items] == ["b", "d"]
    assert [row.name for row in second.items] == ["f", "g", "h", "z"]
    assert "".join(row.name for row in rest) == "acdfghz"


LENGTH = func.length(Sample.name, type_=Integer).label("length")
PARTS = select(func.count()).where(Part.sample_id == Sample.id).correlate(Sample).scalar_subquery().label("parts")


@statement
def select_with_parts(weight: int) -> Select[Sample, int]:
    """Select an entity and a computed column, through a join."""
    return select(Sample, PARTS).outerjoin(Part, (Part.sample_id == Sample.id) & (Part.number == weight))


@pytest.mark.parametrize("traced", [True, False])
async def test_joins_and_computed_columns(samples: Database, *, traced: bool) -> None:
    """Rows have the selected columns, without those that paging adds."""
    ids = await fill(samples, {"name": "ccc"}, {"name": "a"}, {"name": "bb"}, {"name": "d"})
    async with samples.unit_of_work() as db:
        db.add_all([Part(sample_id=ids[0], number=1), Part(sample_id=ids[0], number=2)])
    bound = select_with_parts(1)
    async with samples.read_only() as db:
        made: Any = bound if traced else bound.plain()
        by_length = await read_all(db, made, SortOrder(LENGTH, key=Sample.id))
        by_parts = await read_all(db, made, SortOrder(PARTS, key=Sample.id), sort="-parts")
    assert [(row.Sample.name, row.parts) for row in by_length] == [("a", 0), ("d", 0), ("bb", 0), ("ccc", 2)]
    assert by_parts[0].Sample.name == "ccc"
    assert len(by_parts[0]) == 2


async def test_a_cursor_belongs_to_its_list(samples: Database) -> None:
    """It is refused with another list, order or parameter."""
    await fill(samples, *({"name": name} for name in "abc"))
    async with samples.read_only() as db:
        cursor = (await paginate(db, select_samples(None), ORDER, Query())).next_cursor
        plain = (await paginate(db, plain_samples(None), ORDER, Query())).next_cursor
        others: list[tuple[Any, str | None, str | None]] = [
            (select_samples(Colour.RED), cursor, None),
            (select_samples(None), cursor, "-name"),
            (plain_samples(None), cursor, None),
            (plain_samples(Colour.RED), plain, None),
            (plain_samples(None).where(Sample.weight > 1), plain, None),
        ]
        for other, given, sort in others:
            with pytest.raises(InvalidCursorError):
                await paginate(db, other, ORDER, Query(cursor=given, sort=sort))


@pytest.mark.parametrize(
    ("columns", "message"),
    [((Sample.note,), "nullable"), ((Sample.data,), "cannot hold"), ((column("x", JSONB),), "cannot hold")],
)
def test_an_order_that_would_lose_rows_is_refused(columns: tuple[Any, ...], message: str) -> None:
    """The error is raised at import."""
    with pytest.raises(TypeError, match=message):
        SortOrder(*columns, key=Sample.id)


@pytest.mark.parametrize(
    "other",
    [
        select(Sample).order_by(Sample.weight),
        select(Sample).limit(3),
        select(Sample).offset(3),
        select(Sample).distinct(),
    ],
    ids=["order", "limit", "offset", "distinct"],
)
async def test_a_select_that_orders_or_limits_itself_is_refused(samples: Database, other: Select[Sample]) -> None:
    """Its pages would lose rows."""
    async with samples.read_only() as db:
        with pytest.raises(TypeError, match="paginate orders and limits"):
            await paginate(db, other, ORDER, Query())


async def test_a_computed_null_is_no_silent_loss(samples: Database) -> None:
    """It raises an error, because no page could follow such a row."""
    await fill(samples, {"name": "a"}, {"name": "b"}, {"name": "c"})
    order = SortOrder(func.nullif(Sample.name, "b", type_=String).label("maybe"), key=Sample.id)
    async with samples.read_only() as db:
        with pytest.raises(TypeError, match="None"):
            await read_all(db, select_samples(None), order, sort="-maybe", limit=1)
