"""Connections: hosts that do not respond, poolers, keep-alive, and messages for operators."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from asyncpg.connect_utils import SessionAttribute
from sqlalchemy import text

from app.core.config import Settings
from app.core.exceptions import DatabaseUnavailableError
from app.core.settings.database import Pooler
from app.db.connect import Connector, keep_alive
from app.db.database import Database
from tests.conftest import make_settings
from tests.queries import ReadOnly


@asynccontextmanager
async def silent_host() -> AsyncIterator[int]:
    """A host that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def refusing_port() -> int:
    """A port on which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def forwarding(socket_path: str) -> AsyncIterator[int]:
    """Forward TCP connections to the server's Unix socket; the tests' server listens on no port."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(socket_path)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def socket_path(database: Database) -> str:
    """The path of the server's socket."""
    directories = await ReadOnly(database).scalar(
        text("SELECT setting FROM pg_settings WHERE name = 'unix_socket_directories'")
    )
    return f"{directories}/.s.PGSQL.5432"


async def name_of(database: Database) -> str:
    """Return the name of the database."""
    return str(await ReadOnly(database).scalar(text("SELECT current_database()")))


async def test_a_silent_first_host_takes_no_time_from_the_second(database: Database) -> None:
    """Later connections try the host that responded first."""
    async with silent_host() as silent, forwarding(await socket_path(database)) as port:
        dsn = f"postgresql://postgres@127.0.0.1:{silent},127.0.0.1:{port}/{await name_of(database)}"
        connect = Connector(make_settings(dsn, database_connect_timeout_seconds=5.0), dsn, SessionAttribute.read_write)
        async with asyncio.timeout(4):
            first = await connect()
        started = time.monotonic()
        second = await connect()
        assert time.monotonic() - started < 0.2  # the head start of the host that is tried first
        for connection in (first, second):
            assert await connection.fetchval("SELECT 1") == 1
            connection.terminate()


async def test_a_refusing_first_host_is_passed_over(database: Database) -> None:
    """The next host is tried immediately."""
    async with forwarding(await socket_path(database)) as port:
        dsn = f"postgresql://postgres@127.0.0.1:{refusing_port()},127.0.0.1:{port}/{await name_of(database)}"
        connection = await Connector(make_settings(dsn), dsn, None)()
        assert await connection.fetchval("SELECT 1") == 1
        connection.terminate()


async def test_tcp_connections_notice_that_the_other_host_is_gone(database: Database) -> None:
    """Keep-alive and the user timeout are set, except on Unix sockets. Uses a private name of asyncpg."""
    async with forwarding(await socket_path(database)) as port:
        dsn = f"postgresql://postgres@127.0.0.1:{port}/{await name_of(database)}"
        connection = await Connector(make_settings(dsn), dsn, None)()
        raw = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 8_000
        connection.terminate()
    local = await database.connect_directly()
    keep_alive(local)
    local.terminate()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("/app", "/app_missing"), "does not exist"),
        (("postgres@", "nobody:canary@"), 'role "nobody" does not exist'),
    ],
)
async def test_connection_errors_include_the_message_of_the_server(
    settings: Settings, change: tuple[str, str], expected: str
) -> None:
    """The operator sees the address and the reason, never the password; the client sees neither."""
    dsn = settings.database_url.get_secret_value().replace(*change)
    database = Database(make_settings(dsn))
    with pytest.raises(DatabaseUnavailableError) as refused:
        await database.ping()
    reason = refused.value.reason or ""
    assert expected in reason
    assert "host " in reason
    assert "user " in reason
    assert "canary" not in reason
    assert refused.value.detail == DatabaseUnavailableError.title()
    await database.dispose()


async def test_a_pooler_may_be_declared(settings: Settings) -> None:
    """There is no detection, no startup parameter and no prepared statement."""
    declared = settings.model_copy(update={"database_pooler": Pooler.TRANSACTION})
    database = Database(declared)
    limits = text("SELECT current_setting('statement_timeout'), count(*) FROM pg_prepared_statements")
    for _ in range(3):
        [row] = await ReadOnly(database).execute(limits)
    assert tuple(row) == ("0", 0)
    await database.dispose()


async def test_a_direct_connection_is_recognised(settings: Settings) -> None:
    """It gets the startup parameters that a pooler would not accept."""
    dsn = settings.database_url.get_secret_value()
    connect = Connector(settings, dsn, None)
    assert not await connect.is_pooled()
    connection: asyncpg.Connection = await connect()
    assert await connection.fetchval("SHOW statement_timeout") == "5s"
    connection.terminate()
