"""What a comparison runs on: one database, four servers on one core, load from the other core."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from pydantic import SecretStr

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT, socket_url
from app.core.security import derive_key
from app.db.migrations import upgrade
from devtools.loopback import free_port, wait_for
from devtools.postgres import EmbeddedPostgres, running_postgres

SERVER_CORE, LOAD_CORE = "0", "1"
EMAIL = "bench@example.com"
PUBLIC_URL = "https://bench.example.com"
PASSWORD = "wrong horse battery staple"
TICKS = os.sysconf("SC_CLK_TCK")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass
class Server:
    """A server under test, pinned to its core."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int = 0
    cold_start: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, cores: str = SERVER_CORE) -> None:
        """Start it, and note how long it takes to answer."""
        self.port = free_port()
        command = [part.replace("{port}", str(self.port)) for part in self.command]
        environment = {**os.environ, **self.environment, "PORT": str(self.port)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, *command], env=environment, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL
        )
        wait_for(f"{self.address}/health/live")
        self.cold_start = time.monotonic() - started

    def stop(self) -> None:
        """Stop it."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def processes(self) -> list[int]:
        """List its processes."""
        assert self.process
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_seconds(self) -> float:
        """Read the CPU time that its processes have used."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def worker_mib(self) -> float:
        """Read how much memory the process that serves holds."""
        pages = int(Path(f"/proc/{self.processes()[-1]}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Figures:
    """What one round of load showed."""

    requests: int
    rate: float
    p50: float
    """Milliseconds, as the next."""
    p99: float
    cpu: float
    """Milliseconds of the server's CPU for each request."""


ROTATING = """
paths, turn = {%s}, 0
request = function()
    turn = turn %% #paths + 1
    return wrk.format(nil, paths[turn])
end
"""


def wrk(server: Server, paths: str, token: str, seconds: float, connections: int = 16, body: str = "") -> Figures:
    """Put load on a server, on one path or on several in turn; a body has its method before it: `POST {...}`."""
    first, *others = paths.split()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.headers["Authorization"] = "Bearer {token}"\n')
        if body:
            method, _, content = body.partition(" ")
            script.write(f"wrk.method = '{method}'\nwrk.headers['Content-Type'] = 'application/json'\n")
            script.write(f"wrk.body = '{content}'\n")
        if others:
            script.write(ROTATING % ", ".join(f'"{path}"' for path in (first, *others)))
        script.flush()
        before = server.cpu_seconds()
        options = ["-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script.name]
        command = ["taskset", "-c", LOAD_CORE, "wrk", *options, f"{server.address}{first}"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        cpu = server.cpu_seconds() - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{server.name} {first}: {output}")
    requests = int(re.findall(r"(\d+) requests in", output)[0])
    p50, p99 = (duration(re.findall(rf"^ +{percent}% +(\S+)$", output, re.MULTILINE)[0]) for percent in (50, 99))
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0])
    return Figures(requests, rate, p50, p99, cpu * 1000 / requests)


def duration(written: str) -> float:
    """Read what wrk writes, as milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", written).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


@dataclass
class Rig:
    """The database, the servers, and somebody with 10,000 items."""

    dsn: str
    postgres: EmbeddedPostgres
    servers: dict[str, Server]
    token: str = ""
    items: tuple[str, ...] = ()
    """Paths of a hundred of them."""


def make_servers(dsn: str) -> dict[str, Server]:
    """Prepare the service as it ships, in production mode with everything on, and what one would use instead."""
    secret = secrets.token_urlsafe(48)
    settings = Settings(_env_file=None, secret_key=SecretStr(secret))
    shared = {
        "BENCH_DSN": dsn,
        "BENCH_KEY": derive_key(secret, "access token").hex(),
        "BENCH_ISSUER": PUBLIC_URL,
        "BENCH_AUDIENCE": settings.project_name,
    }
    ours = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": dsn,
        "SECRET_KEY": secret,
        "PUBLIC_URL": PUBLIC_URL,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "RATE_LIMIT_PER_MINUTE": "1000000",
        "SHUTDOWN_DRAIN_SECONDS": "0",
        "RECYCLE_AFTER_REQUESTS": "0",
    }
    uvicorn = [sys.executable, "-m", "uvicorn", "--port={port}", "--no-access-log", "--log-level=warning"]
    contenders = {
        name: Server(name, [*uvicorn, f"benchmarks.contenders.{name}:app"], shared)
        for name in ("limit", "bare", "usual")
    }
    plain = [sys.executable, "-m", "gunicorn", "--config=gunicorn.conf.py", "benchmarks.contenders.orm:app"]
    return {
        **contenders,
        "orm": Server("orm", plain, ours),
        "ours": Server("ours", [sys.executable, "-m", "app", "serve"], ours),
    }


@contextmanager
def running_rig(rows: int) -> Iterator[Rig]:
    """Start the database and all servers, and make the rows."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # Without fsync, because the figures are about the servers before it.
        with running_postgres(folder / "pg", "fsync = off", "shared_buffers = '1GB'", "autovacuum = off") as postgres:
            subprocess.run(["taskset", "-a", "-p", "-c", LOAD_CORE, str(postgres.processes()[0])], check=True, stdout=2)
            postgres.create_database("app")
            dsn = socket_url(folder / "pg", "app")
            upgrade(Settings(_env_file=None, database_url=SecretStr(dsn)))
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
    """Register somebody, log them in, and give them items."""
    address = rig.servers["ours"].address
    account = {"email": EMAIL, "password": PASSWORD}
    owner = httpx2.post(f"{address}/api/v1/users", json=account).raise_for_status().json()["id"]
    form = {"grant_type": "password", "username": account["email"], "password": PASSWORD}
    rig.token = httpx2.post(f"{address}/api/v1/auth/token", data=form).raise_for_status().json()["access_token"]
    make_items(rig, owner, rows)
    headers = {"Authorization": f"Bearer {rig.token}"}
    page = httpx2.get(f"{address}/api/v1/items?limit=100", headers=headers).raise_for_status().json()
    rig.items = tuple(f"/api/v1/items/{item['id']}" for item in page["items"])


def make_items(rig: Rig, owner: str, rows: int) -> None:
    """Insert items, a second apart."""
    insert = (
        "INSERT INTO items (id, owner_id, title, description, created_at) SELECT gen_random_uuid(), "
        f"'{owner}', 'item ' || n, 'as it is', now() - n * interval '1 second' FROM generate_series(1, {rows}) n"
    )
    rig.postgres.execute("app", insert, "VACUUM ANALYZE items")
