"""`make run`, from a fresh copy of the project."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.core.database_url import PROJECT_ROOT, embedded_data_directory
from devtools.loopback import free_port
from devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError
from devtools.run import write_env_file
from tests.conftest import check_test_database
from tests.processes import serving

PARTS = ("app", "devtools", "migrations", "alembic.ini", ".env.example")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """The project as it comes, without environment and data."""
    for part in PARTS:
        source = PROJECT_ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / part)
    yield tmp_path
    if os.geteuid() == 0:
        shutil.rmtree(embedded_data_directory(tmp_path).parent, ignore_errors=True)


def test_it_serves_keeps_its_data_and_leaves_nothing_running(copy: Path) -> None:
    """Twice: the second start finds what the first one wrote."""
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
    """Two checkouts do not share a key."""
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
    """The log of PostgreSQL, and the way out."""
    server = EmbeddedPostgres(postgres_folder / "data")
    with pytest.raises(EmbeddedPostgresError) as refusal:
        server.start("no_such_setting = 1")
    assert "no_such_setting" in str(refusal.value)
    assert "set DATABASE_URL" in str(refusal.value)
    assert f"delete {postgres_folder}" in str(refusal.value)


def test_tests_refuse_a_database_that_is_not_for_tests() -> None:
    """They would delete what is in it."""
    assert check_test_database("postgresql://h/app_test")
    with pytest.raises(pytest.exit.Exception, match="'test' in its name"):
        check_test_database("postgresql://h/app")
