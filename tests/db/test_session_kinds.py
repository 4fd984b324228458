"""What commit, rollback, close, savepoints and streams mean in a unit of work and in a read-only session."""

import asyncio

import pytest
from sqlalchemy import Select, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.sql.dml import ReturningInsert

from app.core.exceptions import InternalError
from app.db.database import Database
from app.db.statements import statement
from app.models.user import User
from tests.queries import ReadOnly

EMAILS = select(User.email)


def new_user(email: str = "ada@example.com") -> User:
    """Return an account that cannot log in."""
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


async def committed(database: Database) -> list[str]:
    """Return the addresses that other connections see."""
    return list(await ReadOnly(database).scalars(EMAILS.order_by(User.email)))


# Unit of work


async def test_orm_core_and_traced_statements_share_one_transaction(single: Database) -> None:
    """They use one connection, in any order."""
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
    """The next statement starts a new transaction."""
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
    """SQLAlchemy alone would send no ROLLBACK on a connection in autocommit."""
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
    """It also expunges all instances."""
    async with single.unit_of_work() as db:
        user = new_user()
        db.add(user)
        await db.flush()
        await db.close()
        assert user not in db
    assert await committed(single) == []


async def test_begin_commits_at_the_end_of_its_block(single: Database) -> None:
    """As documented for AsyncSession."""
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
    """This includes traced statements, even before any other statement."""
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
    """A server-side cursor needs a transaction."""
    async with single.unit_of_work() as db:
        for number in range(3):
            db.add(new_user(f"{number}@example.com"))
        await db.flush()
        streamed = [email async for email in await db.stream_scalars(EMAILS.order_by(User.email))]
    assert streamed == ["0@example.com", "1@example.com", "2@example.com"]


async def test_a_swallowed_error_of_a_traced_statement_is_not_committed(single: Database) -> None:
    """PostgreSQL answers that COMMIT with ROLLBACK."""
    with pytest.raises(InternalError):
        async with single.unit_of_work() as db:
            await db.fetch_all(insert_user("a@example.com"))
            with pytest.raises(IntegrityError):
                await db.fetch_all(insert_user("a@example.com"))
    assert await committed(single) == []


async def test_a_failed_commit_leaves_a_session_that_can_roll_back(single: Database) -> None:
    """It raises SQLAlchemy's error; later statements start a new transaction."""
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


async def test_a_session_is_not_shared_between_tasks(single: Database) -> None:
    """As documented for AsyncSession: one session for each task."""
    async with single.unit_of_work() as db:
        results = await asyncio.gather(*(db.fetch_all(select_emails(None)) for _ in range(2)), return_exceptions=True)
    assert results[0] == []
    assert isinstance(results[1], InvalidRequestError)
