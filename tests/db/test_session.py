"""Sessions: units of work and reads."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.core.exceptions import (
    ConflictError,
    DatabaseUnavailableError,
    DeadlineExceededError,
    DomainError,
    InternalError,
    OverloadedError,
    UnitOfWorkLostError,
    ValidationFailedError,
)
from app.core.refusals import EmailTakenError
from app.db.database import Database
from app.models.user import User
from tests.queries import ReadOnly

PASSING = ("28000", "53100", "53200", "53400", "54000", "55006", "58030")
"""Temporary errors of the server, and those that an operator fixes."""


def new_user(email: str = "ada@example.com", **changes: object) -> User:
    """An account that cannot log in."""
    return User(**{"email": email, "hashed_password": "x", **changes})


async def emails(database: Database) -> list[str]:
    """Return the addresses of the committed accounts."""
    session = ReadOnly(database)
    return list(await session.scalars(select(User.email)))


async def test_a_unit_of_work_commits_when_it_ends(database: Database) -> None:
    """Another connection sees the change."""
    async with database.unit_of_work() as session:
        session.add(new_user())
        await session.flush()
        assert await emails(database) == []
    assert await emails(database) == ["ada@example.com"]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, KeyboardInterrupt])
async def test_any_error_rolls_it_back(database: Database, error: type[BaseException]) -> None:
    """This includes cancellation."""
    with pytest.raises(error):
        async with database.unit_of_work() as session:
            session.add(new_user())
            await session.flush()
            raise error
    assert await emails(database) == []


async def test_an_early_commit_outlives_the_error_that_follows(database: Database) -> None:
    """The session can be used after it."""
    with pytest.raises(ValueError, match="refused"):
        async with database.unit_of_work() as session:
            session.add(new_user())
            await session.commit()
            assert await session.scalar(select(User.email)) == "ada@example.com"
            raise ValueError("refused")
    assert await emails(database) == ["ada@example.com"]


async def test_an_error_that_was_swallowed_is_not_committed_in_silence(database: Database) -> None:
    """PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, which is no error for a driver."""
    with pytest.raises(InternalError):
        async with database.unit_of_work() as session:
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))


async def write(database: Database, statement: str) -> None:
    """Run a statement in a unit of work."""
    async with database.unit_of_work() as session:
        await session.execute(text(statement))


async def read(database: Database, statement: str) -> None:
    """Run a statement in a read-only session."""
    await ReadOnly(database).execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT pg_sleep(5)", DeadlineExceededError),
        ("SELECT 1 / 0", InternalError),
        ("SELECT nothing", InternalError),
        ("INSERT INTO notes (id, owner_id, title) VALUES (gen_random_uuid(), gen_random_uuid(), 'x')", ConflictError),
        (
            "INSERT INTO users (id, email, hashed_password, role) VALUES (gen_random_uuid(), 'a', 'b', 'x')",
            ValidationFailedError,
        ),
        ("INSERT INTO users (id) VALUES (gen_random_uuid())", InternalError),
        ("SELECT 9223372036854775807 + 1", ValidationFailedError),
        ("SELECT 1 LIMIT -1", ValidationFailedError),
        ("SELECT 'x'::int", InternalError),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$", UnitOfWorkLostError),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53300'; END $$", OverloadedError),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '08006'; END $$", UnitOfWorkLostError),
        *(
            (f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$", DatabaseUnavailableError)
            for state in PASSING
        ),
        ("SELECT pg_terminate_backend(pg_backend_pid())", UnitOfWorkLostError),
    ],
)
async def test_database_errors_become_domain_errors(
    settings: Settings, statement: str, expected: type[DomainError]
) -> None:
    """They are mapped by SQLSTATE, in both kinds of session."""
    changes = {"database_statement_timeout_seconds": 0.2}
    database = Database(settings.model_copy(update=changes))
    for run in (write,) if statement.startswith("INSERT") else (write, read):
        with pytest.raises(DomainError) as raised:
            await run(database, statement)
        assert type(raised.value) is expected
    await database.dispose()


async def test_a_constraint_names_its_own_error(database: Database) -> None:
    """The model defines the error."""
    with pytest.raises(EmailTakenError):
        async with database.unit_of_work() as session:
            session.add_all([new_user(), new_user()])


async def test_a_value_that_cannot_be_sent_is_refused(database: Database) -> None:
    """UTF-8 has no lone surrogates, and PostgreSQL strings have no NUL."""
    for value in ("\ud800", "\x00"):
        with pytest.raises(ValidationFailedError):
            async with database.unit_of_work() as session:
                await session.execute(text("SELECT CAST(:value AS text)"), {"value": value})
