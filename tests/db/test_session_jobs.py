"""Jobs and repeated requests follow the transaction."""

import pytest
from sqlalchemy import text

from app.core.exceptions import DatabaseUnavailableError
from app.db.database import Database
from app.db.queue import enqueue
from app.schemas.mail import SendResetPasswordMail
from tests.db.test_session_kinds import committed, new_user
from tests.queries import ReadOnly


async def test_jobs_follow_the_transaction(single: Database) -> None:
    """`commit` inserts them, and `rollback` discards them."""
    count = text("SELECT count(*) FROM pgqueuer")
    async with single.unit_of_work() as db:
        enqueue(db, SendResetPasswordMail(email="a@example.com"))
        await db.commit()
        assert await ReadOnly(single).scalar(count) == 1
        enqueue(db, SendResetPasswordMail(email="b@example.com"))
        await db.rollback()
    assert await ReadOnly(single).scalar(count) == 1


async def test_a_request_that_has_committed_is_not_repeated(single: Database) -> None:
    """Its first part would run twice."""
    with pytest.raises(DatabaseUnavailableError):
        async with single.unit_of_work() as db:
            db.add(new_user())
            await db.commit()
            await db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await committed(single) == ["ada@example.com"]
