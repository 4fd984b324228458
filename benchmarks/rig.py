"""The processes of a comparison: one database and five servers."""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import SecretStr

from app.core.config import Settings
from app.core.database_url import socket_url
from app.core.security import derive_key
from benchmarks.wrk import LOAD_CORE, Server
from devtools.postgres import EmbeddedPostgres, running_postgres
from tests.notes.application import SERVE
from tests.notes.migrate import migrate

EMAIL = "bench@example.com"
PUBLIC_URL = "https://bench.example.com"
PASSWORD = "wrong horse battery staple"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": PUBLIC_URL,
    "ALLOWED_HOSTS": "127.0.0.1",
    "SMTP_URL": "smtp://127.0.0.1:9",
    "RATE_LIMIT_PER_MINUTE": "1000000",
    "SHUTDOWN_DRAIN_SECONDS": "0",
    "RECYCLE_AFTER_REQUESTS": "0",
    "MALLOC_MMAP_THRESHOLD_": "1048576",
}
"""`python -m app serve` sets the last one, too."""


@dataclass
class Rig:
    """The database, the servers, and an account with 10,000 notes."""

    dsn: str
    postgres: EmbeddedPostgres
    servers: dict[str, Server]
    token: str = ""
    notes: tuple[str, ...] = ()
    """The paths of a hundred notes."""


def make_servers(dsn: str) -> dict[str, Server]:
    """Return the service, in production mode with everything on, and its alternatives."""
    secret = secrets.token_urlsafe(48)
    shared = {
        "BENCH_DSN": dsn,
        "BENCH_KEY": derive_key(secret, "access token").hex(),
        "BENCH_ISSUER": PUBLIC_URL,
        "BENCH_AUDIENCE": Settings(_env_file=None, secret_key=SecretStr(secret)).project_name,
    }
    ours = {"DATABASE_URL": dsn, "SECRET_KEY": secret, **PRODUCTION}
    uvicorn = [sys.executable, "-m", "uvicorn", "--port={port}", "--no-access-log", "--log-level=warning"]
    contenders = {
        name: Server(name, [*uvicorn, f"benchmarks.contenders.{name}:app"], shared)
        for name in ("limit", "bare", "usual")
    }
    plain = Server("orm", [*SERVE[:-1], "benchmarks.contenders.orm:app"], ours)
    return {**contenders, "orm": plain, "ours": Server("ours", SERVE, ours)}


@contextmanager
def running_rig(rows: int) -> Iterator[Rig]:
    """Start the database and all servers, and create the rows."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # Without fsync, because the figures are about the servers.
        with running_postgres(folder / "pg", "fsync = off", "shared_buffers = '1GB'", "autovacuum = off") as postgres:
            subprocess.run(["taskset", "-a", "-p", "-c", LOAD_CORE, str(postgres.processes()[0])], check=True, stdout=2)
            postgres.create_database("app")
            dsn = socket_url(folder / "pg", "app")
            migrate(Settings(_env_file=None, database_url=SecretStr(dsn)))
            rig = Rig(dsn, postgres, make_servers(dsn))
            try:
                for server in rig.servers.values():
                    server.start()
                fill(rig, rows)
                yield rig
            finally:
                for server in rig.servers.values():
                    server.stop()


def fill(rig: Rig, rows: int) -> None:
    """Register an account, log in, and create its notes."""
    address = rig.servers["ours"].address
    account = {"email": EMAIL, "password": PASSWORD}
    owner = httpx2.post(f"{address}/api/v1/users", json=account).raise_for_status().json()["id"]
    form = {"grant_type": "password", "username": account["email"], "password": PASSWORD}
    rig.token = httpx2.post(f"{address}/api/v1/auth/token", data=form).raise_for_status().json()["access_token"]
    make_notes(rig, owner, rows)
    headers = {"Authorization": f"Bearer {rig.token}"}
    page = httpx2.get(f"{address}/api/v1/notes?limit=100", headers=headers).raise_for_status().json()
    rig.notes = tuple(f"/api/v1/notes/{note['id']}" for note in page["items"])


def make_notes(rig: Rig, owner: str, rows: int) -> None:
    """Insert notes, one for each second."""
    insert = (
        "INSERT INTO notes (id, owner_id, title, description, created_at) SELECT gen_random_uuid(), "
        f"'{owner}', 'note ' || n, 'as it is', now() - n * interval '1 second' FROM generate_series(1, {rows}) n"
    )
    rig.postgres.execute("app", insert, "VACUUM ANALYZE notes")
