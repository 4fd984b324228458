"""Fixtures: a real PostgreSQL, a migrated schema and the whole application."""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.config import Settings
from app.core.database_url import socket_url
from app.core.logging import configure_logging
from app.state import State
from devtools.postgres import running_postgres
from tests.databases import FAST, DatabaseMaker, check_test_database, delete_everything
from tests.factories import Accounts
from tests.markers import pytest_collection_modifyitems  # noqa: F401  pytest finds the hook here

# The environment of the developer must not change the tests.
TEST_DATABASE_URL = os.environ.pop("TEST_DATABASE_URL", None)
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)

from app.db.database import Database  # noqa: E402  the imports below read the settings
from tests.mails import Outbox  # noqa: E402
from tests.notes.application import create_notes_application  # noqa: E402
from tests.notes.migrate import migrate  # noqa: E402

BASE_URL = "http://localhost"


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """Start a temporary PostgreSQL for this process, unless TEST_DATABASE_URL names a server."""
    if TEST_DATABASE_URL:
        yield check_test_database(TEST_DATABASE_URL)
        return
    folder = Path(tempfile.mkdtemp(prefix="dayone-"))
    folder.chmod(0o711)  # As root PostgreSQL runs as another user.
    try:
        with running_postgres(folder / "pg", *FAST) as server:
            server.create_database("app_test")
            yield socket_url(folder / "pg", "app_test")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def new_database(server_dsn: str, testrun_uid: str, worker_id: str) -> AsyncIterator[DatabaseMaker]:
    """Make empty databases on that server and drop them at the end."""
    maker = DatabaseMaker(server_dsn, f"{testrun_uid[:8]}_{worker_id}")
    yield maker
    await maker.drop_all()


SAFE_IN_PRODUCTION: dict[str, Any] = {
    "environment": "production",
    "public_url": "https://api.example.com",
    "smtp_url": SecretStr("smtp://mail.example.com"),
    "rate_limit_enabled": True,
    "password_hash_memory_kib": 19_456,
    "password_hash_iterations": 2,
}
"""What production requires besides a database and a secret."""


@pytest.fixture
def postgres_folder() -> Iterator[Path]:
    """A folder that PostgreSQL can enter under any user."""
    folder = Path(tempfile.mkdtemp(prefix="dayone-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Settings for tests: nothing from the environment, and fast password hashes."""
    values: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "secret_key": SecretStr("a-key-for-the-tests-0123456789-0123456789"),
        "password_hash_memory_kib": 8,
        "password_hash_iterations": 1,
        "log_level": "WARNING",
        "worker_in_process": False,
        "rate_limit_enabled": False,
        # Code that takes a second connection while it holds one runs into the time limit of the pool, and fails.
        "database_pool_size": 1,
        # Tests that are not async block the loop of the shared application.
        "event_loop_block_seconds": 600,
        # Tests store events at a time of their choice.
        "security_log_days": 0,
    }
    return Settings(_env_file=None, **{**values, **changes})


@pytest.fixture(scope="session")
async def settings(new_database: DatabaseMaker) -> Settings:
    """The settings of the application under test, whose database is migrated."""
    settings = make_settings(await new_database.make())
    await _upgrade(settings)
    return settings


async def _upgrade(settings: Settings) -> None:
    # Alembic's env.py runs its own event loop.
    await asyncio.to_thread(migrate, settings)


def with_state(app: ASGIApp, state: State) -> ASGIApp:
    """Add the application state from the lifespan to each request, as a server does."""

    async def stateful(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {**state}}, receive, send)

    return stateful


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that is started."""
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(with_state(app, state), raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield client


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application under test, for `dependency_overrides`."""
    return create_notes_application(settings)


@pytest.fixture(scope="session")
async def application(app: FastAPI) -> AsyncIterator[ASGIApp]:
    """The application, started."""
    async with app.router.lifespan_context(app) as state:
        yield with_state(app, state)  # type: ignore[arg-type]  # the lifespan yields a State


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log from level INFO; other tests log warnings only, which is faster."""
    # A test may have made an application for production, whose log goes past the standard library.
    configure_logging(make_settings("postgresql://localhost/unused"))
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture(scope="session")
async def shared_database(settings: Settings) -> AsyncIterator[Database]:
    """Connections for the tests, separate from those of the application."""
    database = Database(settings)
    yield database
    await database.dispose()


@pytest.fixture
async def database(shared_database: Database) -> AsyncIterator[Database]:
    """The shared database; all tables are emptied after the test."""
    yield shared_database
    await delete_everything(shared_database)


@pytest.fixture
async def client(application: ASGIApp, database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that speaks HTTP to the application, over ASGI."""
    del database  # emptied after the test
    transport = httpx2.ASGITransport(application, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def outbox(settings: Settings, database: Database) -> Outbox:
    """The mails of a test."""
    return Outbox(settings, database)


@pytest.fixture
def accounts(client: httpx2.AsyncClient, database: Database) -> Accounts:
    """Makes accounts through the API."""
    return Accounts(client, database)
