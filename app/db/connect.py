"""Open connections to PostgreSQL: every wait is bounded, hosts are tried concurrently, poolers are recognised."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import structlog
from asyncpg.connect_utils import SessionAttribute

from app.core.config import Settings
from app.core.database_url import describe, for_driver, is_embedded, single_hosts
from app.core.exceptions import DatabaseUnavailableError, UnavailableError
from app.core.settings.database import Pooler
from app.db.errors import translate

log = structlog.get_logger(__name__)

ServerKind = SessionAttribute | None
HEAD_START_SECONDS = 0.2
"""The delay between the attempts at one host and at the next."""
PROBE_TIMEOUT_SECONDS = 1.0
"""Timeout for a query that the server answers immediately, unless it is gone."""
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 8_000}
"""TCP keep-alive in seconds, and the user timeout in milliseconds: they detect a host that is gone (tcp(7))."""


def server_settings(settings: Settings) -> dict[str, str]:
    """Return the settings of every connection: UTC and the timeouts."""

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return {
        "application_name": settings.project_name,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": milliseconds(settings.database_statement_timeout_seconds),
        "lock_timeout": milliseconds(settings.database_lock_timeout_seconds),
        "idle_in_transaction_session_timeout": milliseconds(settings.database_idle_timeout_seconds),
    }


class Connector:
    """Opens connections to one database URL, which may name several hosts and may lead through a pooler."""

    def __init__(self, settings: Settings, dsn: str, accept: ServerKind, *, read_only: bool = False) -> None:
        """Connect to a server of this kind (libpq's target_session_attrs); None uses the URL's value, or accepts any.

        The server refuses writes on `read_only` connections, except through a pooler.
        """
        self.dsn, ignored = for_driver(dsn)
        if ignored:
            log.info("database parameters ignored", parameters=ignored, database=describe(dsn))
        self._hosts = single_hosts(self.dsn)
        self._pooler = settings.database_pooler
        self._settings = server_settings(settings)
        self.read_only = read_only
        if read_only:
            self._settings["default_transaction_read_only"] = "on"
        self._options: dict[str, Any] = {
            "timeout": settings.database_connect_timeout_seconds,
            # The server ends a slow statement first; this timeout is for a server that does not respond.
            "command_timeout": settings.database_statement_timeout_seconds + 1,
            "target_session_attrs": accept,
            **tls_options(self.dsn),
        }

    @property
    def enforces_read_only(self) -> bool:
        """Whether the server refuses writes on each connection; false before the first one, and through a pooler."""
        return self.read_only and self._pooler is Pooler.NONE

    async def __call__(self) -> asyncpg.Connection:
        """Open a connection, or raise DatabaseUnavailableError, whose `reason` is for the operator."""
        with_settings = not await self.is_pooled()
        connection = await self._connect(with_settings=with_settings)
        keep_alive(connection)
        return connection

    async def is_pooled(self) -> bool:
        """Return whether the URL leads through a pooler; DATABASE_POOLER says so, or a first connection detects it."""
        # Without a lock: while the server does not respond, callers would wait for the timeouts of all previous ones.
        if self._pooler is Pooler.AUTO:
            connection = await self._connect(with_settings=False)
            try:
                self._pooler = Pooler.NONE if await is_direct(connection) else Pooler.TRANSACTION
            finally:
                connection.terminate()
        return self._pooler is not Pooler.NONE

    async def _connect(self, *, with_settings: bool) -> asyncpg.Connection:
        options = dict(self._options)
        if with_settings:
            options["server_settings"] = self._settings
        elif self._pooler is not Pooler.SESSION:
            # A statement that was prepared on one server connection may be executed on another.
            options["statement_cache_size"] = 0
        with _translate_connection_errors(self.dsn):
            if len(self._hosts) == 1:
                return await asyncpg.connect(self.dsn, **options)
            return await self._race(options)

    async def _race(self, options: dict[str, Any]) -> asyncpg.Connection:
        """Try all hosts concurrently; the one that accepted the last connection starts a little earlier.

        asyncpg tries them one after the other within one timeout, which a host that does not respond uses up.
        """

        async def attempt(place: int, host: str) -> tuple[str, asyncpg.Connection]:
            await asyncio.sleep(place * HEAD_START_SECONDS)
            return host, await asyncpg.connect(host, **options)

        attempts = [asyncio.create_task(attempt(place, host)) for place, host in enumerate(self._hosts)]
        errors: list[Exception] = []
        chosen = None
        try:
            for finished in asyncio.as_completed(attempts):
                try:
                    host, chosen = await finished
                except Exception as error:  # noqa: BLE001  raised below, if no host answers
                    errors.append(error)
                else:
                    self._hosts = [host, *(other for other in self._hosts if other != host)]
                    return chosen
        finally:
            for task in attempts:
                task.cancel()
                task.add_done_callback(partial(_close_unless, chosen))
        # Any other error is more useful than "this server is a standby".
        errors.sort(key=lambda error: isinstance(error, asyncpg.InternalClientError))
        raise errors[0]


def _close_unless(chosen: asyncpg.Connection | None, attempt: asyncio.Task[tuple[str, asyncpg.Connection]]) -> None:
    """Close the connection of an attempt that was not chosen. Nothing waits for it: the host may not respond."""
    if not attempt.cancelled() and attempt.exception() is None and attempt.result()[1] is not chosen:
        attempt.result()[1].terminate()


@contextmanager
def _translate_connection_errors(dsn: str) -> Iterator[None]:
    """Raise domain errors whose reason has the address of the connection and the message of the server."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        known = translate(error)
        # Refusals (credentials, a missing database) are configuration errors or temporary: 503, not 500.
        refusal = known if isinstance(known, UnavailableError) else DatabaseUnavailableError()
        refusal.reason = f"Cannot connect to PostgreSQL ({describe(dsn)}): {str(error) or type(error).__name__}"
        if is_embedded(dsn) and isinstance(error, OSError):
            refusal.reason += ". If the embedded server is not running, start it with `make db`"
        raise refusal from error


def tls_options(dsn: str) -> dict[str, Any]:
    """Verify against the system's trusted certificates where `sslmode=verify-full` comes without `sslrootcert`."""
    query = dict(parse_qsl(urlsplit(dsn).query))
    if query.get("sslmode") != "verify-full" or query.get("sslrootcert", "system") != "system":
        return {}
    return {"ssl": ssl.create_default_context()}


async def is_direct(connection: asyncpg.Connection, *, listening_on: str | None = None) -> bool:
    """Return whether a connection leads to its own server process, which listens on a channel if one is given.

    A pooler runs statements in server processes other than the one that it has announced, and LISTEN in one of those
    has no effect here.
    """
    query = "SELECT pg_backend_pid(), ARRAY(SELECT pg_listening_channels())"
    [row] = await connection.fetch(query, timeout=PROBE_TIMEOUT_SECONDS)
    pid, channels = row
    return bool(pid == connection.get_server_pid()) and (listening_on is None or listening_on in channels)


def keep_alive(connection: asyncpg.Connection) -> None:
    """Let the kernel detect that the other host is gone (tcp(7)); asyncpg has no option for it."""
    transport = getattr(connection, "_transport", None)
    raw = transport.get_extra_info("socket") if transport else None
    if raw is None or raw.family == socket.AF_UNIX:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # Linux has all of them.
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
