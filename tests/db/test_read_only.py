"""Read-only sessions."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Select, func, select, text, update
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from app.core.exceptions import InternalError
from app.db.database import Database
from app.db.session import Session
from app.db.statements import statement
from app.models.user import User
from tests.db.test_session_kinds import EMAILS, committed, insert_user, new_user, select_emails


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
    """It raises before anything is sent."""
    with pytest.raises(InternalError) as raised:
        async with single.read_only() as db:
            await WRITES[write](db)
    assert isinstance(raised.value.__cause__, InvalidRequestError)


@pytest.mark.parametrize("explicit", [True, False])
async def test_the_server_refuses_what_the_session_cannot_see(single: Database, *, explicit: bool) -> None:
    """This holds in a transaction and on borrowed connections."""
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
    """It is not mistaken for a server that became read-only, for which the request would be retried."""
    with pytest.raises(InternalError):
        async with single.read_only() as db:
            await db.fetch_all(select_hidden())
    with pytest.raises(InternalError):
        async with single.read_only() as db:
            await db.execute(text("DELETE FROM users"))


@statement
def select_hidden() -> Select[int]:
    """Call a function that writes, which SQLAlchemy cannot detect."""
    return select(func.nextval("pgqueuer_id_seq", type_=BigInteger))


async def test_a_traced_read_borrows_a_connection_for_itself_only(single: Database) -> None:
    """Between two statements another session can read, with a pool of one connection."""
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
