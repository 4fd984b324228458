"""The command line."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.core.config import Settings
from app.db.database import Database
from tests.factories import PASSWORD, Accounts

runner = CliRunner()


@pytest.fixture(autouse=True)
def _environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("SECRET_KEY", settings.secret_key.get_secret_value())


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_create_admin_makes_an_administrator_who_can_log_in(accounts: Accounts) -> None:
    """The password comes from standard input."""
    done = run("create-admin", "Root@Example.com", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert done.returncode == 0
    assert done.stdout.endswith("root@example.com is an administrator.\n")
    root = await accounts.log_in("root@example.com")
    me = await root.request("GET", "/api/v1/users/me")
    assert me.json()["role"] == "admin"


async def test_create_admin_refuses_with_a_sentence(accounts: Accounts) -> None:
    """A taken address, a short password, an invalid address."""
    ada = await accounts.create()
    for email, password, sentence in (
        (ada.email, PASSWORD, "An account with this e-mail address already exists."),
        ("root@example.com", "short", "at least 12"),
        ("root", PASSWORD, "must have an @-sign"),
    ):
        # In a thread, because the command runs its own event loop.
        done = await asyncio.to_thread(runner.invoke, cli, ["create-admin", email, "--password-stdin"], input=password)
        assert done.exit_code == 2
        assert sentence in " ".join(done.output.replace("│", "").split())
        assert password not in done.output


def test_create_admin_prompts_for_the_password_twice(database: Database) -> None:
    """If it does not come from standard input."""
    del database
    done = runner.invoke(cli, ["create-admin", "root@example.com"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output


def test_migrate_upgrades() -> None:
    """It can be repeated."""
    assert runner.invoke(cli, ["migrate"]).exit_code == 0


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_openapi_prints_the_document_of_one_version(version: str) -> None:
    """Without an argument, of all versions."""
    whole = json.loads(runner.invoke(cli, ["openapi"]).stdout)["paths"]
    part = json.loads(runner.invoke(cli, ["openapi", version]).stdout)["paths"]
    assert part == {path: item for path, item in whole.items() if path.startswith(f"/api/{version}/")}
    assert part


def test_settings_prints_sources_and_masks_secrets(settings: Settings) -> None:
    """The output contains no secret."""
    done = runner.invoke(cli, ["settings"])
    assert "SECRET_KEY=**********  (environment)" in done.stdout
    assert "PORT=8000  (default)" in done.stdout
    assert settings.secret_key.get_secret_value() not in done.stdout


def test_a_process_with_wrong_settings_does_not_start() -> None:
    """The output is one message, without a stack and without values."""
    done = run("serve", ENVIRONMENT="production", SECRET_KEY="canary")
    assert done.returncode == 1
    assert "SECRET_KEY: must have at least 32 bytes" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


def test_reload_is_for_development() -> None:
    """It watches files and doubles the number of processes."""
    done = run("serve", "--reload", ENVIRONMENT="staging", DATABASE_URL="postgresql://db.internal/app")
    assert done.returncode == 2
    assert "--reload is for development" in done.stderr
