"""Requests whose transaction was rolled back are retried."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.core.exceptions import UnitOfWorkLostError
from app.db.database import Database
from app.middleware.failures import RETRIES
from tests.databases import end_connections
from tests.factories import Account, Accounts, problem
from tests.queries import ReadOnly

Saboteur = Callable[[str, str], Awaitable[None]]


@pytest.fixture
async def sabotage(database: Database) -> AsyncIterator[Saboteur]:
    """Make PostgreSQL run a statement when notes are inserted, or at the COMMIT; `attempt` counts from 1."""

    async def install(statement: str, when: str) -> None:
        # A sequence, because a rollback does not turn it back.
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE SEQUENCE attempts"))
            function = (
                "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"DECLARE attempt bigint := nextval('attempts'); BEGIN {statement}; RETURN NULL; END $$"
            )
            await connection.execute(text(function))
            kind, deferred = ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED") if when == "commit" else ("", "")
            trigger = f"CREATE {kind} TRIGGER sabotage AFTER INSERT ON notes {deferred} FOR EACH ROW"
            await connection.execute(text(f"{trigger} EXECUTE FUNCTION sabotage()"))

    yield install
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP FUNCTION IF EXISTS sabotage CASCADE"))
        await connection.execute(text("DROP SEQUENCE IF EXISTS attempts"))


async def attempts(database: Database) -> int:
    """Return how often the insert was tried."""
    session = ReadOnly(database)
    return int(await session.scalar(text("SELECT last_value FROM attempts")) or 0)


async def titles(account: Account) -> list[str]:
    """Return the committed titles."""
    return [note["title"] for note in (await account.request("GET", "/api/v1/notes")).json()["items"]]


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
@pytest.mark.parametrize("when", ["insert", "commit"])
async def test_a_unit_of_work_that_lost_a_race_is_done_again(
    accounts: Accounts, database: Database, sabotage: Saboteur, sqlstate: str, when: str
) -> None:
    """The client sees one success, and there is one note."""
    ada = await accounts.create()
    await sabotage(f"IF attempt <= 3 THEN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END IF", when)
    await ada.create_note("milk")
    assert await titles(ada) == ["milk"]
    assert await attempts(database) == 1 + RETRIES


async def test_at_some_point_it_is_given_up(accounts: Accounts, database: Database, sabotage: Saboteur) -> None:
    """The response is a 503 with `Retry-After`."""
    ada = await accounts.create()
    await sabotage("RAISE EXCEPTION USING ERRCODE = '40001'", "insert")
    response = await ada.request("POST", "/api/v1/notes", json={"title": "milk"})
    assert problem(response) == (503, "database_unavailable")
    assert response.headers["retry-after"] == "1"
    assert await titles(ada) == []
    assert await attempts(database) == 1 + RETRIES


async def test_a_connection_lost_before_commit_costs_nothing(
    accounts: Accounts, database: Database, sabotage: Saboteur
) -> None:
    """The backend is killed in the middle of the transaction."""
    ada = await accounts.create()
    await sabotage("IF attempt = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF", "insert")
    await ada.create_note("milk")
    assert await titles(ada) == ["milk"]
    assert await attempts(database) == 2


async def test_what_was_lost_while_committing_is_not_done_again(
    accounts: Accounts, database: Database, sabotage: Saboteur
) -> None:
    """The change may have been committed, so only the client can decide."""
    ada = await accounts.create()
    await sabotage("PERFORM pg_terminate_backend(pg_backend_pid())", "commit")
    response = await ada.request("POST", "/api/v1/notes", json={"title": "milk"})
    assert problem(response) == (503, "database_unavailable")
    assert await attempts(database) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_idle_pool_survives_the_loss_of_all_its_connections(
    accounts: Accounts, database: Database, method: str
) -> None:
    """Neither reads nor writes fail."""
    ada = await accounts.create()
    await end_connections(database)
    response = await ada.request(method, "/api/v1/notes", json={"title": "milk"} if method == "POST" else None)
    assert response.is_success


async def test_a_server_that_became_read_only_is_left(settings: Settings) -> None:
    """SQLSTATE 25006 closes every connection of the pool, so that the next one leads to the new primary."""
    database = Database(settings.model_copy(update={"database_pool_size": 1}))
    read_only = "SET default_transaction_read_only = on"
    pids = []
    for statement in (read_only, "CREATE TEMPORARY TABLE t ()", "SELECT 1"):
        try:
            async with database.unit_of_work() as session:
                pids.append(await session.scalar(text("SELECT pg_backend_pid()")))
                await session.execute(text(statement))
        except UnitOfWorkLostError:
            assert statement.startswith("CREATE")
    await database.dispose()
    assert pids[0] == pids[1] != pids[2]
