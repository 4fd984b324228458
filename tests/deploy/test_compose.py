"""The compose file: production settings, roles with few rights, no conflicts between projects."""

import os
import re
import subprocess
from asyncio import create_subprocess_exec, sleep, timeout, to_thread
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.migrations import upgrade
from devtools.postgres import BINARIES, running_postgres
from tests.conftest import make_settings, serving
from tests.databases import FAST
from tests.factories import PASSWORD
from tests.notes.application import create_notes_application

TEXT = (PROJECT_ROOT / "docker-compose.yml").read_text()
INTERPOLATED = re.compile(r"(?<!\$)\$\{(\w+)(?::-([^}]*))?\}")
OF_DEVELOPMENT = {"ENVIRONMENT": "development", "SECRET_KEY": "the key of development", "DATABASE_URL": "", "PORT": "1"}


def resolved() -> dict[str, Any]:
    """The services as compose resolves them with the `.env` of `make run`."""
    text = INTERPOLATED.sub(lambda match: OF_DEVELOPMENT.get(match[1], match[2] or ""), TEXT)
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def test_no_setting_is_interpolated() -> None:
    """Compose interpolates from `.env`, which is the file of development."""
    names = {name for name, _ in INTERPOLATED.findall(TEXT)}
    assert names
    assert names & {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("name", ["migrate", "web", "worker"])
def test_the_service_is_production(name: str) -> None:
    """Its secrets come from separate files."""
    service = resolved()[name]
    assert service["environment"]["ENVIRONMENT"] == "production"
    assert "compose.env" in service["env_file"]
    assert not set(OF_DEVELOPMENT.values()) - {""} & set(map(str, service["environment"].values()))


def test_only_settings_that_exist_are_set() -> None:
    """Containers are stopped later than the service stops by itself."""
    service = yaml.safe_load(TEXT)["x-service"]
    assert set(service["environment"]) <= {name.upper() for name in Settings.model_fields}
    assert int(service["stop_grace_period"].rstrip("s")) > Settings(_env_file=None).shutdown_timeout_seconds


def test_nothing_has_a_fixed_name_or_grows_without_bound() -> None:
    """Two projects can run on one machine; logs are rotated, and zombie processes are reaped."""
    for service in resolved().values():
        assert "container_name" not in service
        assert service["logging"]["options"]["max-size"]
        assert service["init"] is True
    assert "${EDGE_SUBNET" in TEXT
    assert "${COMPOSE_PROJECT_NAME" in TEXT


def test_only_the_proxy_and_the_web_share_a_network() -> None:
    """The proxy cannot reach the database."""
    networks = {name: set(service["networks"]) for name, service in resolved().items()}
    assert {name for name, of_service in networks.items() if "edge" in of_service} == {"proxy", "web"}


def make_env(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that writes passwords, in a copy of the project."""
    (folder / "deploy").mkdir(exist_ok=True)
    for name in ("compose.env.example", "deploy/make-compose-env.sh"):
        (folder / name).write_text((PROJECT_ROOT / name).read_text())
    command = ["sh", str(folder / "deploy/make-compose-env.sh"), "shop.example.com"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a file."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_passwords_are_made_once(tmp_path: Path) -> None:
    """All are different, their files are private, and they are never overwritten."""
    assert make_env(tmp_path).returncode == 0
    service, database = read_env(tmp_path / "compose.env"), read_env(tmp_path / "compose.database.env")
    passwords = {value for name, value in database.items() if name.endswith("PASSWORD")} | {service["SECRET_KEY"]}
    valkey = read_env(tmp_path / "compose.valkey.env")["VALKEY_PASSWORD"]
    assert len(passwords | {valkey}) == 5
    assert read_env(tmp_path / "compose.proxy.env") == {"SITE_ADDRESS": "shop.example.com"}
    assert database["APP_PASSWORD"] in service["DATABASE_URL"]
    assert valkey in service["REDIS_URL"]
    assert service["PUBLIC_URL"] == "https://shop.example.com"
    assert (tmp_path / "compose.env").stat().st_mode & 0o077 == 0
    again = make_env(tmp_path)
    assert (again.returncode, "exists" in again.stderr) == (1, True)


def test_the_service_starts_with_what_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the mail server must be added."""
    make_env(tmp_path)
    for name, value in {**read_env(tmp_path / "compose.env"), **resolved()["web"]["environment"]}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com")
    assert Settings(_env_file=None).environment == "production"


async def make_roles(socket_directory: Path) -> None:
    """Create the database and its roles, as the compose file does."""
    environment = {
        **os.environ,
        "PATH": f"{BINARIES}:{os.environ['PATH']}",
        "PGHOST": str(socket_directory),
        "OWNER_PASSWORD": "one",
        "APP_PASSWORD": "another",
    }
    script = PROJECT_ROOT / "deploy/postgres/roles.sh"
    process = await create_subprocess_exec("sh", str(script), env=environment)
    assert await process.wait() == 0


async def test_the_service_needs_few_rights(postgres_folder: Path) -> None:
    """The owner migrates; the role of the service reads and writes rows, and cannot change a table."""
    with running_postgres(postgres_folder / "pg", *FAST) as server:
        await make_roles(server.socket_directory)
        url = f"postgresql://{{}}@/app?host={server.socket_directory}"
        await to_thread(upgrade, make_settings(url.format("owner")))
        settings = make_settings(
            url.format("app"), worker_in_process=True, mail_directory=str(postgres_folder / "mail")
        )
        async with serving(create_notes_application(settings)) as client:
            account = {"email": "ada@example.com", "password": PASSWORD}
            assert (await client.post("/api/v1/users", json=account)).status_code == 201
            async with timeout(20):
                while not list((postgres_folder / "mail").glob("*.eml")):  # noqa: ASYNC110
                    await sleep(0.05)
        connection = await asyncpg.connect(url.format("app"))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DROP TABLE users")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine ()")
        await connection.close()


async def test_the_procedure_restores_a_backup_with_its_roles(postgres_folder: Path) -> None:
    """Its commands run literally; afterwards the role of the service can use the database."""
    procedures = (PROJECT_ROOT / "docs/procedures.md").read_text().replace("\\\n", "")
    create, exchange = re.findall(r"^docker compose exec postgres (.*)$", procedures, re.MULTILINE)
    with running_postgres(postgres_folder / "pg", *FAST) as server:
        await make_roles(server.socket_directory)
        url = f"postgresql://{{}}@/{{}}?host={server.socket_directory}"
        await to_thread(upgrade, make_settings(url.format("owner", "app")))
        environment = {
            **os.environ,
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            "PGHOST": str(server.socket_directory),
            "BACKUP_DIRECTORY": str(postgres_folder),
            "APP": url.format("owner", "app"),
            "RESTORED": url.format("owner", "restored"),
        }
        restore = 'DATABASE_URL=$RESTORED sh deploy/restore.sh "$(DATABASE_URL=$APP sh deploy/backup.sh)"'
        script = f"{create}\n{restore}\n{exchange}"
        process = await create_subprocess_exec("sh", "-euc", script, env=environment, cwd=PROJECT_ROOT)
        assert await process.wait() == 0
        async with serving(create_notes_application(make_settings(url.format("app", "app")))) as client:
            account = {"email": "ada@example.com", "password": PASSWORD}
            assert (await client.post("/api/v1/users", json=account)).status_code == 201
