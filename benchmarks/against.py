"""Compare the CPU time of the import and of requests with another commit; prints a table of ratios.

Usage: `.venv/bin/python -m benchmarks.against COMMIT`; takes two minutes. Both versions use the packages and the `.env`
of this folder, whose uncommitted changes count. The commit must have `tests/notes/`.
"""

import argparse
import logging
import os
import resource
import secrets
import shutil
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


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Write the files of a commit into a temporary folder."""
    archive = subprocess.run(["git", "archive", commit], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="against-") as name:
        subprocess.run(["tar", "--extract"], cwd=name, input=archive, check=True)
        if (PROJECT_ROOT / ".env").exists():
            shutil.copy(PROJECT_ROOT / ".env", name)
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
    """The running service of one version, with an account that has notes."""

    def __init__(self, client: httpx2.Client, worker: int) -> None:
        """Register, log in, and create notes."""
        self.client, self.worker = client, worker
        account = {"email": "bench@example.com", "password": PASSWORD}
        client.post("/users", json=account).raise_for_status()
        form = {"grant_type": "password", "username": account["email"], "password": PASSWORD}
        token = client.post("/auth/token", data=form).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        created = [client.post("/notes", json={"title": "a title"}).raise_for_status().json() for _ in range(20)]
        self.paths = {"read one": f"/notes/{created[0]['id']}", "list 20": "/notes"}

    def request_seconds(self, name: str) -> float:
        """Send requests one after the other; return the CPU time of the worker."""
        before = cpu_seconds(self.worker)
        for _ in range(REQUESTS):
            self.client.get(self.paths[name]).raise_for_status()
        return cpu_seconds(self.worker) - before


@contextmanager
def running_version(postgres: EmbeddedPostgres, folder: Path, database: str) -> Iterator[Version]:
    """Migrate a database with the migrations of a version, and run the service on it."""
    postgres.create_database(database)
    url = socket_url(postgres.data_directory, database)
    run(MIGRATE, folder, DATABASE_URL=url)
    key = secrets.token_hex(32)
    with (
        running_server(url, folder=folder, ENVIRONMENT="staging", SECRET_KEY=key) as (address, worker),
        httpx2.Client(base_url=f"{address}/api/v1") as client,
    ):
        yield Version(client, worker)


def compare_imports(other: Path) -> tuple[float, float]:
    """Return the median CPU time of the import in this version and in the other one."""
    import_seconds(PROJECT_ROOT), import_seconds(other)  # The first import compiles the files.
    pairs = [(import_seconds(PROJECT_ROOT), import_seconds(other)) for _ in range(IMPORTS)]
    return statistics.median(ours for ours, _ in pairs), statistics.median(theirs for _, theirs in pairs)


def compare_requests(other: Path) -> dict[str, tuple[float, float]]:
    """Return the mean CPU time of requests in this version and in the other one, which take turns."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o711)  # As root PostgreSQL runs as another user.
        with (
            running_postgres(folder / "pg", "fsync = off") as postgres,
            running_version(postgres, PROJECT_ROOT, "ours") as ours,
            running_version(postgres, other, "theirs") as theirs,
        ):
            # Sums, because the system counts CPU time in steps of 10 ms.
            totals = {name: [0.0, 0.0] for name in ours.paths}
            for number in range(ROUNDS):
                for name, total in totals.items():
                    for place in (0, 1) if number % 2 else (1, 0):
                        total[place] += (ours, theirs)[place].request_seconds(name)
    requests = ROUNDS * REQUESTS
    return {name: (total[0] / requests, total[1] / requests) for name, total in totals.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    commit = parser.parse_args().commit
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with checked_out(commit) as other:
        figures = {"import app.main": compare_imports(other), **compare_requests(other)}
    print(f"| CPU time | this folder | {commit} | ratio |\n|---|---|---|---|")
    for name, (ours, theirs) in figures.items():
        print(f"| {name} | {ours * 1000:.2f} ms | {theirs * 1000:.2f} ms | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
