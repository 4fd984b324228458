"""The command line, for operators.

Each command imports what only it needs, so that `serve` and `worker --check` start quickly.
"""

import asyncio
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from app.core.config import Settings, load_settings, setting_sources
from app.core.database_url import PROJECT_ROOT
from app.core.heartbeat import is_alive
from app.core.logging import configure_logging

cli = typer.Typer(help="Operate the service.", no_args_is_help=True, pretty_exceptions_enable=False)


class ApiVersion(StrEnum):
    """The versions of the API."""

    V1 = "v1"
    V2 = "v2"


@cli.command()
def serve(*, reload: Annotated[bool, typer.Option(help="Restart on change; for development.")] = False) -> None:
    """Serve HTTP with gunicorn, as gunicorn.conf.py configures it."""
    settings = load_settings()
    if not reload:
        configuration = str(PROJECT_ROOT / "gunicorn.conf.py")
        arguments = [sys.executable, "-m", "gunicorn", "--config", configuration, "app.main:app"]
        # Otherwise glibc keeps the memory of hashed passwords: 19 MiB for each thread.
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "1048576")
        os.execv(sys.executable, arguments)  # noqa: S606  no shell is wanted
    if not settings.is_development:
        raise typer.BadParameter("--reload is for development")
    serve_with_reload(settings)


def serve_with_reload(settings: Settings) -> None:
    """Serve with uvicorn, and restart when a file changes."""
    from uvicorn import Config, Server
    from uvicorn.supervisors import ChangeReload

    config = Config(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        reload=True,
        reload_dirs=[str(PROJECT_ROOT / "app")],
        reload_includes=["*.py", "*.txt", "*.html", "*.subject", ".env"],
        log_config=None,
        access_log=False,
        server_header=False,
        http="httptools",
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )
    # The file, because its folder also contains the database and the environment.
    config.reload_dirs.append(PROJECT_ROOT / ".env")
    ChangeReload(config, target=Server(config).run, sockets=[config.bind_socket()]).run()


@cli.command()
def worker(
    *, check: Annotated[bool, typer.Option(help="Only check whether a worker is running on this machine.")] = False
) -> None:
    """Run jobs and schedules until SIGTERM."""
    settings = load_settings()
    if check:
        raise typer.Exit(0 if is_alive(Path(settings.worker_heartbeat_file)) else 1)
    from app.core.telemetry import configure_telemetry
    from app.worker import run_worker

    configure_logging(settings)
    configure_telemetry(settings)
    asyncio.run(run_worker(settings))


@cli.command()
def migrate(revision: Annotated[str, typer.Argument(help="An Alembic revision.")] = "head") -> None:
    """Upgrade the database schema. Several processes may do so concurrently."""
    from app.db.migrations import upgrade

    settings = load_settings()
    configure_logging(settings)
    upgrade(settings, revision)


@cli.command()
def create_admin(
    email: str,
    *,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Create an administrator; the password is prompted for."""
    from app.core.exceptions import DomainError
    from app.schemas.user import UserCreate
    from app.services.registration_service import register_administrator

    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    try:
        data = UserCreate.model_validate({"email": email, "password": password})
        asyncio.run(register_administrator(load_settings(), data))
    except ValidationError as error:
        raise typer.BadParameter("; ".join(problem["msg"] for problem in error.errors())) from None
    except DomainError as error:
        raise typer.BadParameter(error.reason or error.detail) from None
    typer.echo(f"{data.email} is an administrator.")


@cli.command()
def openapi(version: Annotated[ApiVersion | None, typer.Argument()] = None) -> None:
    """Print the OpenAPI document, of all versions or of one."""
    from app.api.openapi import only_version
    from app.main import create_application

    document = create_application(load_settings()).openapi()
    typer.echo(json.dumps(only_version(document, version) if version else document, indent=2))


@cli.command()
def settings() -> None:
    """Print every setting with its source; secrets are masked."""
    sources = setting_sources()
    for name, value in load_settings():
        typer.echo(f"{name.upper()}={value}  ({sources.get(name, 'default')})")
