"""A server of a benchmark's own: production mode, on the database of the settings, without rate limits."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from app.core.config import load_settings


@contextmanager
def running_server(**environment: str) -> Iterator[tuple[str, int]]:
    """Give its address and the id of its one worker process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
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
        wait_for(address)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield address, int(children.split()[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_for(address: str) -> None:
    """Return when the server is ready."""
    while True:
        try:
            if httpx2.get(f"{address}/health/ready").is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)


def resident_mib(pid: int) -> float:
    """Read how much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
