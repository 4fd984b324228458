"""What commit, rollback, close, savepoints and streams mean in a unit of work and in a read-only session."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Select, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.sql.dml import ReturningInsert

from app.core.config import Settings
from app.core.exceptions import DatabaseUnavailableError, InternalError
from app.db.database import Database
from app.db.queue import enqueue
from app.db.session import Session
from app.db.statements import statement
from app.models.user import User
from app.schemas.mail import SendResetPasswordMail
from tests.queries import ReadOnly

EMAILS = select(User.email)


def new_user(email: str = "ada@example.com") -> User:
    """Return an account that nobody can log in to."""
    return User(email=email, hashed_password="x")


@statement
def select_emails(prefix: str | None) -> Select[str]:
    """Select addresses."""
    emails = select(User.email).order_by(User.email)
    return emails if prefix is None else emails.where(User.email.startswith(prefix))


@statement
def insert_user(email: str) -> ReturningInsert[User]:
    """Insert an account."""
    return insert(User).values(email=email, hashed_password="x").returning(User)


@pytest.fixture
async def single(settings: Settings, database: Database) -> AsyncIterator[Database]:
    """A database with pools of one connection."""
    del database  # emptied after the test
    single = Database(settings.model_copy(update={"database_pool_size": 1, "database_pool_timeout_seconds": 0.2}))
    yield single
    await single.dispose()


async def committed(database: Database) -> list[str]:
    """Return the addresses that other connections see."""
    return list(await ReadOnly(database).scalars(EMAILS.order_by(User.email)))


# Unit of work


async def test_orm_core_and_traced_statements_share_one_transaction(single: Database) -> None:
    """On one connection, in any order."""
    transaction = text("SELECT txid_current()")
    async with single.unit_of_work() as db:
        await db.fetch_all(insert_user("a@example.com"))
        first = await db.scalar(transaction)
        db.add(new_user("b@example.com"))
        assert await db.fetch_all(select_emails(None)) == ["a@example.com", "b@example.com"]
        await db.execute(update(User).values(full_name="x"))
        assert await db.scalar(transaction) == first
        assert await committed(single) == []
    assert await committed(single) == ["a@example.com", "b@example.com"]


async def test_commit_ends_the_transaction_and_returns_the_connection(single: Database) -> None:
    """What follows is another transaction."""
    async with single.unit_of_work() as db:
        db.add(new_user())
        await db.commit()
        async with single.unit_of_work() as other:
            assert await other.scalar(EMAILS) == "ada@example.com"
        await db.execute(delete(User))
        await db.rollback()
        assert await db.scalar(EMAILS) == "ada@example.com"


@pytest.mark.parametrize("traced_first", [True, False])
async def test_rollback_undoes_everything(single: Database, *, traced_first: bool) -> None:
    """On a connection in autocommit SQLAlchemy alone would send nothing."""
    async with single.unit_of_work() as db:
        if traced_first:
            await db.fetch_all(insert_user("b@example.com"))
        db.add(new_user())
        await db.flush()
        await db.rollback()
        async with single.unit_of_work() as other:
            assert await other.scalar(EMAILS) is None
    assert await committed(single) == []


async def test_close_rolls_back(single: Database) -> None:
    """And forgets the instances."""
    async with single.unit_of_work() as db:
        user = new_user()
        db.add(user)
        await db.flush()
        await db.close()
        assert user not in db
    assert await committed(single) == []


async def test_begin_commits_at_the_end_of_its_block(single: Database) -> None:
    """As the documentation of AsyncSession has it."""
    async with single.unit_of_work() as db:
        async with db.begin():
            db.add(new_user())
        assert await committed(single) == ["ada@example.com"]
        with pytest.raises(ValueError, match="undone"):
            async with db.begin():
                await db.execute(delete(User))
                raise ValueError("undone")
    assert await committed(single) == ["ada@example.com"]


@pytest.mark.parametrize("traced", [True, False])
async def test_a_savepoint_undoes_its_part_only(single: Database, *, traced: bool) -> None:
    """Traced statements are inside it, too, even if they come first."""
    async with single.unit_of_work() as db:
        await db.fetch_all(insert_user("a@example.com"))
        with pytest.raises(IntegrityError):
            async with db.begin_nested():
                if traced:
                    await db.fetch_all(insert_user("a@example.com"))
                else:
                    db.add(new_user("a@example.com"))
        async with db.begin_nested():
            await db.fetch_all(insert_user("b@example.com"))
    assert await committed(single) == ["a@example.com", "b@example.com"]


async def test_a_stream_reads_in_the_transaction(single: Database) -> None:
    """A server-side cursor needs one."""
    async with single.unit_of_work() as db:
        for number in range(3):
            db.add(new_user(f"{number}@example.com"))
        await db.flush()
        streamed = [email async for email in await db.stream_scalars(EMAILS.order_by(User.email))]
    assert streamed == ["0@example.com", "1@example.com", "2@example.com"]


async def test_a_swallowed_error_of_a_traced_statement_is_not_committed(single: Database) -> None:
    """PostgreSQL answers ROLLBACK to that COMMIT."""
    with pytest.raises(InternalError):
        async with single.unit_of_work() as db:
            await db.fetch_all(insert_user("a@example.com"))
            with pytest.raises(IntegrityError):
                await db.fetch_all(insert_user("a@example.com"))
    assert await committed(single) == []


async def test_a_failed_commit_leaves_a_session_that_can_roll_back(single: Database) -> None:
    """Its error is SQLAlchemy's, and what follows is a transaction of its own."""
    async with single.unit_of_work() as db:
        await db.execute(text("CREATE TABLE pairs (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    try:
        async with single.unit_of_work() as db:
            await db.execute(text("INSERT INTO pairs VALUES (1), (1)"))
            with pytest.raises(IntegrityError):
                await db.commit()
            await db.rollback()
            db.add(new_user())
            await db.flush()
            assert await committed(single) == []
        assert await committed(single) == ["ada@example.com"]
    finally:
        async with single.unit_of_work() as db:
            await db.execute(text("DROP TABLE pairs"))


async def test_an_interrupted_begin_is_not_followed_by_autocommit(single: Database) -> None:
    """What comes after it begins another transaction."""
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


async def test_jobs_follow_the_transaction(single: Database) -> None:
    """`commit` inserts them, `rollback` forgets them."""
    count = text("SELECT count(*) FROM pgqueuer")
    async with single.unit_of_work() as db:
        enqueue(db, SendResetPasswordMail(email="a@example.com"))
        await db.commit()
        assert await ReadOnly(single).scalar(count) == 1
        enqueue(db, SendResetPasswordMail(email="b@example.com"))
        await db.rollback()
    assert await ReadOnly(single).scalar(count) == 1


async def test_a_request_that_has_committed_is_not_repeated(single: Database) -> None:
    """Its first part would be done twice."""
    with pytest.raises(DatabaseUnavailableError):
        async with single.unit_of_work() as db:
            db.add(new_user())
            await db.commit()
            await db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await committed(single) == ["ada@example.com"]


async def test_a_session_is_not_shared_between_tasks(single: Database) -> None:
    """As SQLAlchemy has it."""
    async with single.unit_of_work() as db:
        results = await asyncio.gather(*(db.fetch_all(select_emails(None)) for _ in range(2)), return_exceptions=True)
    assert results[0] == []
    assert isinstance(results[1], InvalidRequestError)


# Read-only


async def _flush(db: Session) -> None:
    db.add(new_user())
    await db.flush()


WRITES: dict[str, Callable[[Session], Awaitable[Any]]] = {
    "flush": _flush,
    "DML": lambda db: db.execute(update(User).values(full_name="x")),
    "traced": lambda db: db.fetch_all(insert_user("a@example.com")),
}


@pytest.mark.parametrize("write", WRITES)
async def test_a_read_only_session_refuses_to_write(single: Database, write: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InternalError) as raised:
        async with single.read_only() as db:
            await WRITES[write](db)
    assert isinstance(raised.value.__cause__, InvalidRequestError)


@pytest.mark.parametrize("explicit", [True, False])
async def test_the_server_refuses_what_the_session_cannot_see(single: Database, *, explicit: bool) -> None:
    """In a transaction, and on the connections that traced statements borrow."""
    hidden = "WITH gone AS (DELETE FROM users RETURNING 1) SELECT count(*) FROM gone"
    async with single.read_only() as db:
        with pytest.raises(DBAPIError) as raised:
            if explicit:
                await db.execute(text(hidden))
            else:
                await db.fetch_all(select_hidden())
    assert raised.value.orig.sqlstate == asyncpg.ReadOnlySQLTransactionError.sqlstate  # type: ignore[union-attr]
    assert not raised.value.connection_invalidated
    assert await committed(single) == []


async def test_a_write_that_the_server_refuses_is_a_bug(single: Database) -> None:
    """Not a server that has become read-only, for which the request would be repeated."""
    with pytest.raises(InternalError):
        async with single.read_only() as db:
            await db.fetch_all(select_hidden())
    with pytest.raises(InternalError):
        async with single.read_only() as db:
            await db.execute(text("DELETE FROM users"))


@statement
def select_hidden() -> Select[int]:
    """Call a function that writes, which SQLAlchemy cannot see."""
    return select(func.nextval("pgqueuer_id_seq", type_=BigInteger))


async def test_a_traced_read_borrows_a_connection_for_itself_only(single: Database) -> None:
    """Another session can read between two statements, from a pool of one."""
    assert await committed(single) == []  # From then on it is known that no pooler is between.
    async with single.read_only() as db:
        assert await db.fetch_all(select_emails("a")) == []
        assert await committed(single) == []
        assert await db.fetch_all(select_emails("a")) == []


async def test_savepoints_and_streams_work_in_a_read_only_session(single: Database) -> None:
    """They need a transaction, which is read-only."""
    async with single.unit_of_work() as writing:
        writing.add(new_user())
    async with single.read_only() as db:
        async with db.begin_nested():
            assert await db.fetch_all(select_emails(None)) == ["ada@example.com"]
        assert [email async for email in await db.stream_scalars(EMAILS)] == ["ada@example.com"]
        await db.rollback()
        assert await db.scalar(EMAILS) == "ada@example.com"
        await db.commit()
        assert await committed(single) == ["ada@example.com"]


# Cancellation


async def work(db: Session) -> None:
    """Use every kind of statement."""
    await db.fetch_all(insert_user("a@example.com"))
    db.add(new_user("b@example.com"))
    await db.flush()
    async with db.begin_nested():
        await db.execute(update(User).values(full_name="x"))
    await db.fetch_all(select_emails("a"))


class CancelledAt:
    """Awaits a coroutine, and cancels the task while it waits for the n-th time."""

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
    """Neither a connection nor half a transaction is left."""

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
    """Its place in the pool is not lost."""

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
