"""Copies of the project in which check steps try what a developer would do."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.database_url import PROJECT_ROOT, socket_url
from devtools.postgres import running_postgres

LINT: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "--quiet", "."),
    ("ruff", "check", "--quiet", "."),
    ("mypy",),
    ("lint-imports", "--no-logo"),
    ("deptry", "."),
    ("python", "-m", "devtools.sizes"),
)


def run_in(folder: Path, programs: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in another folder, with the programs of one environment first; its output and errors are one text.

    What belongs to this run of make and pytest is hidden from it, and so is the database of the caller.
    """
    hidden = ("COV", "PYTEST", "MAKE", "PYTHONPATH", "DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment["PATH"] = os.pathsep.join([str(programs), environment["PATH"]])
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


class Copy:
    """A copy of what git tracks, or would track, with a database for its migrations."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._database_url = database_url

    def run(self, *command: str, needs_database: bool = False) -> str:
        """Run a command; exit with its output if it fails."""
        # Tests start their own databases, and `make openapi` needs none.
        variables = {"DATABASE_URL": self._database_url} if needs_database else {}
        done = run_in(self.folder, self.folder / ".venv" / "bin", *command, **variables)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed in a copy of the project:\n{done.stdout}")
        return done.stdout

    def lint(self) -> None:
        """Run the static checks."""
        for step in LINT:
            self.run(*step)

    def changes(self) -> set[str]:
        """Return the paths that differ from the original."""
        self.run("git", "add", "--all")
        names = self.run("git", "diff", "--cached", "--name-only").split()
        return set(names)


@contextmanager
def copy_of_project() -> Iterator[Copy]:
    """Copy the project for the length of a block, into a repository with one commit."""
    folder = Path(tempfile.mkdtemp(prefix="copy-"))
    folder.chmod(0o755)  # As root PostgreSQL runs as another user.
    try:
        copy_files(folder / "project")
        with running_postgres(folder / "pg", "fsync = off") as server:
            server.create_database("app")
            copy = Copy(folder / "project", socket_url(folder / "pg", "app"))
            copy.run("git", "init", "--quiet")
            copy.run("git", "add", "--all")
            author = ("-c", "user.name=check", "-c", "user.email=check@example.com")
            copy.run("git", *author, "commit", "--quiet", "--message", "Copy")
            yield copy
    finally:
        shutil.rmtree(folder)


def copy_files(target: Path) -> None:
    """Copy what git tracks or would track; the environment is a link to that of the original."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in filter(lambda name: (PROJECT_ROOT / name).is_file(), names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT_ROOT / name, target / name)  # with its time, so that make installs nothing again
    (target / ".venv").symlink_to(PROJECT_ROOT / ".venv")
