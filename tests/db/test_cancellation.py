"""Requests that are cancelled."""

import asyncio
import itertools
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from sqlalchemy import delete, update

from app.db.database import Database
from app.db.session import Session
from app.models.user import User
from tests.db.test_session_kinds import committed, insert_user, new_user, select_emails


async def work(db: Session) -> None:
    """Use every kind of statement."""
    await db.fetch_all(insert_user("a@example.com"))
    db.add(new_user("b@example.com"))
    await db.flush()
    async with db.begin_nested():
        await db.execute(update(User).values(full_name="x"))
    await db.fetch_all(select_emails("a"))


class CancelledAt:
    """Awaits a coroutine, and cancels the task at the n-th await."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], number: int) -> None:
        self.coroutine, self.number, self.waits = coroutine, number, 0

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self.coroutine.__await__()
        resume, value = steps.send, None
        while True:
            try:
                future = resume(value)
            except StopIteration:
                return
            self.waits += 1
            task = asyncio.current_task()
            if self.waits == self.number and task is not None:
                task.cancel()
            try:
                resume, value = steps.send, (yield future)
            except BaseException as error:  # noqa: BLE001  the coroutine decides what to do with it
                resume, value = steps.throw, error


async def test_a_unit_of_work_can_be_cancelled_at_every_await(single: Database) -> None:
    """Neither a connection nor an open transaction is left."""

    async def unit_of_work() -> None:
        async with single.unit_of_work() as db:
            await work(db)

    for number in itertools.count(1):
        cancelled = CancelledAt(unit_of_work(), number)

        async def run(cancelled: CancelledAt = cancelled) -> None:
            await cancelled

        await asyncio.wait({asyncio.create_task(run())})
        assert single.pool_usage().in_use == 0
        async with single.unit_of_work() as db:
            found = await db.fetch_all(select_emails(None))
            assert found in ([], ["a@example.com", "b@example.com"])
            await db.execute(delete(User))
        if cancelled.waits < number:
            break
    assert number > 10


async def test_replacing_a_lost_connection_can_be_cancelled_at_every_await(single: Database) -> None:
    """Its place in the pool is released."""

    async def unit_of_work() -> None:
        async with single.unit_of_work() as db:
            await db.fetch_all(select_emails(None))

    for number in itertools.count(1):
        async with single.unit_of_work() as db:
            connection = await (await db.connection()).get_raw_connection()
            connection.driver_connection.terminate()  # type: ignore[union-attr]  # it is one of asyncpg
            await db.close()
        cancelled = CancelledAt(unit_of_work(), number)

        async def run(cancelled: CancelledAt = cancelled) -> None:
            await cancelled

        await asyncio.wait({asyncio.create_task(run())})
        async with single.unit_of_work() as db:
            assert await db.fetch_all(select_emails(None)) == []
        if cancelled.waits < number:
            break


async def test_an_interrupted_begin_is_not_followed_by_autocommit(single: Database) -> None:
    """The next statement begins a new transaction."""
    async with single.unit_of_work() as db:

        async def insert() -> None:
            await db.fetch_all(insert_user("a@example.com"))

        await asyncio.wait({asyncio.create_task(_await(CancelledAt(insert(), 1)))})
        await insert()
        assert await committed(single) == []
        await db.rollback()
    assert await committed(single) == []


async def _await(awaitable: Awaitable[None]) -> None:
    await awaitable
