"""The commands of common tutorials work here."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from devtools.loopback import free_port
from tests.databases import DatabaseMaker
from tests.processes import serving

PARTS = ("app", "alembic.ini", "gunicorn.conf.py", "migrations", "pyproject.toml", "tests", "devtools", "docs")
BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project, in a folder that commands may write to."""
    for part in PARTS:
        (tmp_path / part).symlink_to(PROJECT_ROOT / part)
    return tmp_path


def run(command: str, cwd: Path, **environment: str) -> str:
    """Run a command line; return its output."""
    words = command.split()
    variables = {**os.environ, **environment, "PYTHONPATH": str(cwd)}
    done = subprocess.run(
        [BIN / words[0], *words[1:]], cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def test_alembic_by_hand(project: Path, new_database: DatabaseMaker) -> None:
    """Upgrade, downgrade, and a revision without changes."""
    url = await new_database.make()
    (project / "migrations").unlink()
    run_copy = ["cp", "-r", str(PROJECT_ROOT / "migrations"), str(project)]
    subprocess.run(run_copy, check=True)  # noqa: ASYNC221  nothing else runs meanwhile
    run("alembic upgrade head", project, DATABASE_URL=url)
    run("alembic downgrade -1", project, DATABASE_URL=url)
    run("alembic upgrade head", project, DATABASE_URL=url)
    before = set((project / "migrations/versions").iterdir())
    run("alembic revision --autogenerate -m nothing", project, DATABASE_URL=url)
    [written] = set((project / "migrations/versions").glob("*.py")) - before
    assert "op." not in written.read_text().replace("op.f(", "").partition("def upgrade")[2]


@pytest.mark.parametrize(
    "command",
    [
        "uvicorn app.main:app --reload --host 0.0.0.0 --port {port}",
        "gunicorn app.main:app --worker-class uvicorn.workers.UvicornWorker --bind 0.0.0.0:{port}",
    ],
)
def test_servers_by_hand(project: Path, settings: Settings, command: str) -> None:
    """In development the service accepts any address of the machine."""
    port = free_port()
    words = command.format(port=port).split()
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(project),
        "WORKER_IN_PROCESS": "false",
        "SHUTDOWN_DRAIN_SECONDS": "0",
    }
    with serving([str(BIN / words[0]), *words[1:]], port=port, cwd=project, environment=environment):
        for host in ("127.0.0.1", "127.0.0.2", "localhost"):
            assert httpx2.get(f"http://{host}:{port}/api/v1/users/me").status_code == 401
        name = {"Host": socket.gethostname()}
        assert httpx2.get(f"http://127.0.0.1:{port}/api/v1/users/me", headers=name).status_code == 401
        rebound = {"Host": "evil.example"}
        assert httpx2.get(f"http://127.0.0.1:{port}/api/v1/users/me", headers=rebound).status_code == 400


def test_pytest_by_hand(project: Path) -> None:
    """With coverage as HTML. Here one file; `make test` runs the whole suite."""
    command = "pytest --cov=app --cov-report=html tests/core/test_passwords.py --cov-fail-under=0 -p no:cacheprovider"
    run(command, project, COVERAGE_FILE=str(project / ".coverage"))
    assert (project / "htmlcov/index.html").exists()
