"""A server of a benchmark's own: production mode, on the database of the settings, without rate limits."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.config import load_settings
from devtools.loopback import free_port, wait_for


@contextmanager
def running_server(**environment: str) -> Iterator[tuple[str, int]]:
    """Give its address and the id of its one worker process."""
    port = free_port()
    settings = load_settings()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        env={
            **os.environ,
            "PORT": str(port),
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "RATE_LIMIT_ENABLED": "false",
            "WORKER_IN_PROCESS": "false",
            "LOG_LEVEL": "ERROR",
            "SHUTDOWN_DRAIN_SECONDS": "0",
            **environment,
        },
    )
    address = f"http://127.0.0.1:{port}"
    try:
        try:
            wait_for(f"{address}/health/ready")
        except TimeoutError:
            sys.exit("The server is not ready: start its database with `make db`, or set DATABASE_URL")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield address, int(children.split()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def resident_mib(pid: int) -> float:
    """Read how much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
