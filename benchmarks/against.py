"""Compare the CPU time of the import and of requests with another commit; prints a table of ratios.

Usage: `.venv/bin/python -m benchmarks.against COMMIT`; takes a minute. Both versions use the packages of this
environment and take turns, so that noise affects both. The figures are medians.
"""

import logging
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from app.core.database_url import PROJECT_ROOT, socket_url
from benchmarks.server import cpu_seconds, running_server
from devtools.postgres import EmbeddedPostgres, running_postgres

IMPORTS, ROUNDS, REQUESTS = 15, 10, 1000
MIGRATE = "from app.core.config import load_settings; from tests.notes.migrate import migrate; migrate(load_settings())"
PASSWORD = "wrong horse battery staple"
Figures = dict[str, float]


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Check a commit out into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="against-") as name:
        archive = subprocess.run(["git", "archive", commit], cwd=PROJECT_ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "--extract"], cwd=name, input=archive, check=True)
        yield Path(name)


def run(code: str, folder: Path, **environment: str) -> None:
    """Run Python code in the folder of a version, with bytecode as on a server."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=variables | environment, check=True)


def import_seconds(folder: Path) -> float:
    """Import the application; return the CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run("import app.main", folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


class Version:
    """The running service of one version, and an account with notes."""

    def __init__(self, address: str, worker: int) -> None:
        """Register, log in, and create notes."""
        self.worker = worker
        self.client = httpx2.Client(base_url=f"{address}/api/v1")
        account = {"email": "bench@example.com", "password": PASSWORD}
        self.client.post("/users", json=account).raise_for_status()
        form = {"grant_type": "password", "username": account["email"], "password": PASSWORD}
        token = self.client.post("/auth/token", data=form).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        notes = [self.client.post("/notes", json={"title": "a title"}).json()["id"] for _ in range(20)]
        self.paths = {"read one": f"/notes/{notes[0]}", "list 20": "/notes"}

    def request_seconds(self, name: str) -> float:
        """Send requests one after the other; return the CPU time of the worker for one of them."""
        before = cpu_seconds(self.worker)
        for _ in range(REQUESTS):
            self.client.get(self.paths[name]).raise_for_status()
        return (cpu_seconds(self.worker) - before) / REQUESTS


@contextmanager
def running_version(postgres: EmbeddedPostgres, folder: Path, database: str) -> Iterator[Version]:
    """Migrate a database by the migrations of a version, and run the service on it."""
    postgres.create_database(database)
    url = socket_url(postgres.data_directory, database)
    run(MIGRATE, folder, DATABASE_URL=url)
    with running_server(url, folder=folder, ENVIRONMENT="staging", SECRET_KEY=secrets.token_hex(32)) as (
        address,
        worker,
    ):
        yield Version(address, worker)


def compare(other: Path) -> dict[str, tuple[float, float]]:
    """Return the medians of this version and the other one, in seconds."""
    taken: dict[str, tuple[list[float], list[float]]] = {}

    def note(name: str, ours: float, theirs: float) -> None:
        both = taken.setdefault(name, ([], []))
        both[0].append(ours)
        both[1].append(theirs)

    import_seconds(other)  # It compiles the files.
    for _ in range(IMPORTS):
        note("import app.main", import_seconds(PROJECT_ROOT), import_seconds(other))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        Path(name).chmod(0o711)  # As root PostgreSQL runs as another user.
        with (
            running_postgres(Path(name) / "pg", "fsync = off") as postgres,
            running_version(postgres, PROJECT_ROOT, "ours") as ours,
            running_version(postgres, other, "theirs") as theirs,
        ):
            for _ in range(ROUNDS):
                for path in ours.paths:
                    note(path, ours.request_seconds(path), theirs.request_seconds(path))
    return {name: (statistics.median(ours), statistics.median(theirs)) for name, (ours, theirs) in taken.items()}


def main(commit: str) -> None:
    """Print the table."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with checked_out(commit) as other:
        figures = compare(other)
    print(f"| CPU time | this version | {commit} | ratio |\n|---|---|---|---|")
    for name, (ours, theirs) in figures.items():
        print(f"| {name} | {ours * 1000:.2f} ms | {theirs * 1000:.2f} ms | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1])
