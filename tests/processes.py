"""Real processes in tests: servers that are started, waited for and stopped."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT

PATIENCE_SECONDS = 60


def environment_of(settings: Settings, port: int, **changes: str) -> dict[str, str]:
    """Return the environment of a process of the service that runs in another folder."""
    return {
        **os.environ,
        "PORT": str(port),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "WORKER_IN_PROCESS": "false",
        "SHUTDOWN_DRAIN_SECONDS": "0",
        "PYTHONPATH": str(PROJECT_ROOT),
        **changes,
    }


@contextmanager
def serving(
    command: Sequence[str], *, port: int, cwd: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; enter the block when it is ready. Its output goes to `output` in `cwd`.

    Its hashes are cheap: their threads have a low priority, and would wait for other tests.
    """
    environment = {**environment, "PASSWORD_HASH_MEMORY_KIB": "8", "PASSWORD_HASH_ITERATIONS": "1"}
    with (cwd / "output").open("ab") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_ready(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail(f"{process.args!r} did not become ready")
