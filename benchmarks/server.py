"""A database and a server for one benchmark, without rate limits."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT, socket_url
from devtools.loopback import free_port, wait_for
from devtools.postgres import running_postgres
from tests.notes.application import SERVE
from tests.notes.migrate import migrate


@contextmanager
def running_database(*options: str) -> Iterator[str]:
    """Start PostgreSQL with these settings, migrate a database, and yield its URL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # As root PostgreSQL runs as another user.
        with running_postgres(folder / "pg", "fsync = off", *options) as server:
            server.create_database("app")
            url = socket_url(folder / "pg", "app")
            migrate(Settings(_env_file=None, database_url=SecretStr(url)))
            yield url


@contextmanager
def running_server(database_url: str, *, folder: Path = PROJECT_ROOT, **environment: str) -> Iterator[tuple[str, int]]:
    """Start the service of a folder with one worker process; yield its address and the id of that process."""
    port = free_port()
    process = subprocess.Popen(
        SERVE,
        cwd=folder,
        env={
            **os.environ,
            "PORT": str(port),
            "DATABASE_URL": database_url,
            "RATE_LIMIT_ENABLED": "false",
            "WORKER_IN_PROCESS": "false",
            "LOG_LEVEL": "ERROR",
            "SHUTDOWN_DRAIN_SECONDS": "0",
            **environment,
        },
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health/ready")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield address, int(children.split()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
