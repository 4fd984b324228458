"""The service behind a real PgBouncer in transaction mode."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.db.database import Database
from app.db.migrations import upgrade
from devtools.pgbouncer import is_installed, running_pgbouncer
from tests.conftest import make_settings, serving
from tests.databases import DatabaseMaker
from tests.factories import Accounts
from tests.mails import Outbox
from tests.notes.application import create_notes_application
from tests.notes.migrate import migrate
from tests.queries import ReadOnly

pytestmark = pytest.mark.skipif(not is_installed(), reason="PgBouncer is not installed (Debian: pgbouncer)")


@pytest.fixture
def pgbouncer(server_dsn: str, postgres_folder: Path) -> Iterator[int]:
    """A PgBouncer in front of the server of the tests."""
    if "host=" not in server_dsn:
        pytest.skip("TEST_DATABASE_URL leads to a server without a known socket")
    host = server_dsn.partition("host=")[2].replace("%2F", "/")
    with running_pgbouncer(postgres_folder, Path(host)) as port:
        yield port


@pytest.fixture
async def direct(new_database: DatabaseMaker) -> Settings:
    """An empty database, without the pooler."""
    return make_settings(await new_database.make())


def through(port: int, direct: Settings, **changes: object) -> Settings:
    """The same database through the pooler."""
    name = direct.database_url.get_secret_value().partition("@/")[2].partition("?")[0]
    url = SecretStr(f"postgresql://postgres@127.0.0.1:{port}/{name}")
    return make_settings("postgresql://unused/app", **changes).model_copy(update={"database_url": url})


async def wait_for(port: int) -> None:
    """Wait until the pooler accepts connections."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def test_migrations_want_a_direct_connection(pgbouncer: int, direct: Settings) -> None:
    """Their lock would belong to a server connection of the pooler."""
    await wait_for(pgbouncer)
    with pytest.raises(ConfigurationError, match="DATABASE_DIRECT_URL"):
        await asyncio.to_thread(upgrade, through(pgbouncer, direct))


async def test_time_limits_come_from_the_role(pgbouncer: int, direct: Settings) -> None:
    """`migrate` sets them, because a pooler does not pass startup parameters on."""
    await wait_for(pgbouncer)
    pooled = through(pgbouncer, direct).model_copy(update={"database_direct_url": direct.database_url})
    for _ in range(2):
        await asyncio.to_thread(upgrade, pooled)
    database = Database(pooled)
    assert await ReadOnly(database).scalar(text("SHOW statement_timeout")) == "5s"
    assert await ReadOnly(database).scalar(text("SHOW jit")) == "off"
    await database.dispose()


async def use(client: httpx2.AsyncClient, number: int) -> list[int]:
    """Register, log in, create, change and list, as one of many users."""
    email, password = f"{number}@example.com", "correct horse battery staple"
    statuses = [(await client.post("/api/v1/users", json={"email": email, "password": password})).status_code]
    form = {"grant_type": "password", "username": email, "password": password}
    token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    note = await client.post("/api/v1/notes", json={"title": "x"}, headers=headers)
    path = note.headers["location"]
    for _ in range(5):
        statuses.append((await client.patch(path, json={"title": "y"}, headers=headers)).status_code)
        statuses.append((await client.get(f"/api/v1/notes?title=y&limit={number + 1}", headers=headers)).status_code)
    await client.post("/api/v1/auth/revoke", data={"token": token})
    return [*statuses, (await client.get(path, headers=headers)).status_code]


async def test_the_tour_works_for_concurrent_users(
    pgbouncer: int, direct: Settings, logs: pytest.LogCaptureFixture
) -> None:
    """Statements run on any of five server connections; jobs are polled; what is degraded is logged once."""
    await wait_for(pgbouncer)
    await asyncio.to_thread(migrate, direct)
    pooled = through(pgbouncer, direct)
    app = create_notes_application(pooled)  # which configures logging
    logging.getLogger().addHandler(logs.handler)
    async with serving(app) as client:
        outcomes = await asyncio.gather(*(use(client, number) for number in range(12)))
        assert {tuple(outcome) for outcome in outcomes} == {(201, *[200] * 10, 401)}
        database = Database(pooled)
        mails = await Outbox(pooled, database).deliver()
        await database.dispose()
    assert len(mails) == 12
    said = [str(record.msg) for record in logs.records]
    assert sum("sessions are looked up for each request" in line for line in said) == 1
    assert sum("jobs are polled for" in line for line in said) == 1


async def test_with_a_direct_url_sessions_are_cached_and_forgotten(
    pgbouncer: int, settings: Settings, accounts: Accounts
) -> None:
    """LISTEN uses the direct connection, so a revocation elsewhere is noticed."""
    await wait_for(pgbouncer)
    ada = await accounts.create()
    pooled = through(pgbouncer, settings).model_copy(
        update={"database_direct_url": settings.database_url, "secret_key": settings.secret_key}
    )
    app = create_notes_application(pooled)
    async with app.router.lifespan_context(app) as state:
        sessions, claims = state["sessions"], state["access_tokens"].verify(ada.token)  # type: ignore[index]
        async with asyncio.timeout(5):
            while not sessions._sessions:  # noqa: SLF001
                assert await sessions.find(claims)
                await asyncio.sleep(0.01)
        await ada.client.post("/api/v1/auth/revoke", data={"token": ada.token})
        async with asyncio.timeout(5):
            while await sessions.find(claims):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_pooler_never_passes_for_a_direct_connection(pgbouncer: int, direct: Settings) -> None:
    """It announces its own process id."""
    await wait_for(pgbouncer)
    connection = await asyncpg.connect(
        through(pgbouncer, direct).database_url.get_secret_value(), statement_cache_size=0
    )
    assert await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid()
    connection.terminate()
