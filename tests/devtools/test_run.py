"""`make run`, from a fresh copy of the project."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.database_url import PROJECT_ROOT, embedded_data_directory
from app.core.exceptions import ConfigurationError
from devtools.loopback import free_port
from devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError
from devtools.run import check_port, write_env_file
from tests.conftest import make_settings
from tests.databases import check_test_database
from tests.processes import serving

PARTS = ("app", "devtools", "migrations", "alembic.ini", ".env.example")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """The project without environment and data."""
    for part in PARTS:
        source = PROJECT_ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    yield tmp_path
    if os.geteuid() == 0:
        shutil.rmtree(embedded_data_directory(tmp_path).parent, ignore_errors=True)


def test_it_serves_keeps_its_data_and_leaves_nothing_running(copy: Path) -> None:
    """The second start finds the data of the first one."""
    port = free_port()
    registration = {"email": "ada@example.com", "password": "correct horse battery staple"}
    command, statuses = [sys.executable, "-m", "devtools.run"], []
    for _ in range(2):
        with serving(command, port=port, cwd=copy, environment={**os.environ, "PORT": str(port)}):
            url = f"http://127.0.0.1:{port}/api/v1/users"
            statuses.append(httpx2.post(url, json=registration).status_code)
        assert not EmbeddedPostgres(embedded_data_directory(copy)).is_running()
    assert statuses == [201, 409]
    assert f"http://127.0.0.1:{port}/api/docs" in (copy / "output").read_text()


def test_the_env_file_has_a_secret_of_its_own_and_is_never_overwritten(tmp_path: Path) -> None:
    """Two checkouts have different keys."""
    first, second = tmp_path / "first", tmp_path / "second"
    write_env_file(first)
    write_env_file(second)
    [key] = [line for line in first.read_text().splitlines() if line.startswith("SECRET_KEY=")]
    assert len(key) > 50
    assert key not in second.read_text()
    assert first.stat().st_mode & 0o077 == 0
    first.write_text("mine")
    write_env_file(first)
    assert first.read_text() == "mine"


def test_a_server_that_cannot_start_says_why_and_what_to_do(postgres_folder: Path) -> None:
    """The message has the log of PostgreSQL and the remedy."""
    server = EmbeddedPostgres(postgres_folder / "data")
    with pytest.raises(EmbeddedPostgresError) as refusal:
        server.start("no_such_setting = 1")
    assert "no_such_setting" in str(refusal.value)
    assert "set DATABASE_URL" in str(refusal.value)
    assert f"delete {postgres_folder}" in str(refusal.value)


def test_tests_refuse_a_database_that_is_not_for_tests() -> None:
    """Tests delete the contents of the database."""
    assert check_test_database("postgresql://h/app_test")
    with pytest.raises(pytest.exit.Exception, match="'test' in its name"):
        check_test_database("postgresql://h/app")


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    """The message comes before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=f"127.0.0.1:{port}: Address already in use. Try PORT={port + 1} make run"
        ):
            check_port(make_settings("postgresql://nowhere/app", port=port))


def test_the_last_of_several_processes_stops_the_server(postgres_folder: Path) -> None:
    """It does not matter how the process that started the server ended."""
    folder = postgres_folder / "data"
    program = (
        "import sys, pathlib; from devtools.postgres import running_postgres\n"
        "with running_postgres(pathlib.Path(sys.argv[1])): print('up', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(folder)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": PROJECT_ROOT}
    first, second, third = (subprocess.Popen(command, **pipes) for _ in range(3))
    for process in (first, second, third):
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
    server = EmbeddedPostgres(folder)
    first.kill()
    second.communicate()
    assert server.is_running()
    third.communicate()
    assert not server.is_running()
    first.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_no_folder_above_is_opened(tmp_path: Path) -> None:
    """The message names the folder that PostgreSQL cannot enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match="cannot enter"):
        EmbeddedPostgres(closed / "data").start()
    assert closed.stat().st_mode & 0o777 == 0o700
