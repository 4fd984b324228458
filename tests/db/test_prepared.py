"""Prepared statements."""

import asyncio
import enum
import logging
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import Enum, Integer, Select, bindparam, func, insert, literal_column, select, text

from app.core.config import Settings
from app.core.exceptions import DeadlineExceededError, DomainError, InternalError, OverloadedError, UnitOfWorkLostError
from app.db.prepared import Prepared, Statement
from app.db.session import Database
from app.models.item import Item


class Number(NamedTuple):
    """A row of one column."""

    number: int


class Colour(enum.Enum):
    """What SQLAlchemy makes of a text."""

    RED = "red"


def number(sql: str) -> Select[int]:
    """Select what this gives."""
    return select(literal_column(sql, Integer).label("number"))


TWICE = Prepared(select((bindparam("n", type_=Integer) * 2).label("number")), Number)


async def test_rows_are_named_tuples(database: Database) -> None:
    """For a reader and in a unit of work."""
    assert await database.reader().fetch(TWICE, {"n": 21}) == [Number(42)]
    async with database.unit_of_work() as session:
        row = await session.fetch_one(TWICE, {"n": 21})
    assert row is not None
    assert row.number == 42


async def test_a_missing_parameter_is_not_null(database: Database) -> None:
    """Nor is it taken from the last use."""
    with pytest.raises(KeyError):
        await database.reader().fetch(TWICE, {})


@pytest.mark.parametrize(
    "statement",
    [
        select(literal_column("1").label("other")),
        select(literal_column("1", Enum(Colour)).label("number")),
        number("1").where(literal_column("1").in_(bindparam("some", expanding=True))),
        insert(Item).values(title="x").returning(literal_column("1").label("number")),
    ],
    ids=["other columns", "a type", "a list", "a default"],
)
def test_what_needs_sqlalchemy_for_each_use_is_refused(statement: Statement) -> None:
    """When the module is loaded."""
    with pytest.raises(TypeError, match="Number"):
        Prepared(statement, Number)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("1 / 0", InternalError),
        ("(SELECT 1 FROM pg_sleep(5))", DeadlineExceededError),
        ("(SELECT 1 FROM pg_terminate_backend(pg_backend_pid()))", UnitOfWorkLostError),
    ],
)
async def test_faults_become_domain_errors(settings: Settings, sql: str, expected: type[DomainError]) -> None:
    """And the next statement has a connection that works."""
    database = Database(settings.model_copy(update={"database_statement_timeout_seconds": 0.2}))
    statement = Prepared(number(sql), Number)
    with pytest.raises(expected):
        await database.reader().fetch(statement, {})
    with pytest.raises(expected):
        async with database.unit_of_work() as session:
            await session.fetch(statement, {})
    assert await database.reader().fetch(TWICE, {"n": 1}) == [Number(2)]
    await database.dispose()


async def test_a_server_that_refuses_the_connection_is_told_by_its_reason(settings: Settings) -> None:
    """Not only by statements that SQLAlchemy runs."""
    user = "refused"
    database = Database(settings)
    async with database.unit_of_work() as session:
        await session.execute(text(f"CREATE ROLE {user} LOGIN CONNECTION LIMIT 0"))
    url = urlsplit(settings.database_url.get_secret_value())
    theirs = url._replace(netloc=f"{user}@{url.netloc.rpartition('@')[2]}").geturl()
    refused = Database(settings.model_copy(update={"database_url": SecretStr(theirs)}))
    try:
        with pytest.raises(OverloadedError):
            await refused.reader().fetch(TWICE, {"n": 1})
        with pytest.raises(OverloadedError):
            async with refused.unit_of_work() as session:
                await session.fetch(TWICE, {"n": 1})
    finally:
        async with database.unit_of_work() as session:
            await session.execute(text(f"DROP ROLE {user}"))
        await refused.dispose()
        await database.dispose()


async def test_who_gives_up_leaves_a_connection_that_works(settings: Settings) -> None:
    """Of a pool of one."""
    database = Database(settings.model_copy(update={"database_pool_size": 1}))
    sleep = Prepared(number("(SELECT 1 FROM pg_sleep(1))"), Number)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.reader().fetch(sleep, {})
        assert await database.reader().fetch(TWICE, {"n": 1}) == [Number(2)]
    await database.dispose()


async def test_a_migration_meanwhile_is_no_fault(settings: Settings) -> None:
    """A column that has changed its type is read anew; in a unit of work by doing all of it again."""
    database = Database(settings.model_copy(update={"database_pool_size": 1}))
    statement = Prepared(number("value").select_from(text("changing")), Number)
    async with database.unit_of_work() as session:
        await session.execute(text("CREATE TABLE changing AS SELECT 1 AS value"))
    try:
        await database.reader().fetch(statement, {})
        async with database.unit_of_work() as session:
            await session.execute(text("ALTER TABLE changing ALTER value TYPE bigint"))
        with pytest.raises(UnitOfWorkLostError):
            async with database.unit_of_work() as session:
                await session.fetch(statement, {})
        assert await database.reader().fetch(statement, {}) == [Number(1)]
    finally:
        async with database.unit_of_work() as session:
            await session.execute(text("DROP TABLE changing"))
        await database.dispose()


async def test_in_a_unit_of_work_they_are_part_of_the_transaction(database: Database) -> None:
    """Before and after statements of SQLAlchemy."""
    transaction = Prepared(select(func.txid_current().label("number")), Number)
    async with database.unit_of_work() as session:
        first = await session.fetch_one(transaction, {})
        second = await session.scalar(text("SELECT txid_current()"))
        third = await session.fetch_one(transaction, {})
    assert first == third == Number(second)


async def test_debug_logs_them(settings: Settings, logs: pytest.LogCaptureFixture) -> None:
    """Like all other statements."""
    database = Database(settings.model_copy(update={"debug": True}))
    await database.reader().fetch(TWICE, {"n": 1})
    await asyncio.sleep(0)
    await database.dispose()
    messages = [record.msg for record in logs.records if record.levelno == logging.INFO]
    assert any(isinstance(message, dict) and message.get("sql") == TWICE.sql for message in messages)
