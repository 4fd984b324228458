"""Health."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app.core.database_url import socket_url
from devtools.postgres import EmbeddedPostgres
from tests.conftest import make_settings, serving
from tests.databases import FAST
from tests.notes.application import create_notes_application

CHECKS = ("/health/ready", "/api/v1/health")


async def test_a_process_that_runs_is_alive(client: httpx2.AsyncClient) -> None:
    """Liveness checks nothing else."""
    response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", CHECKS)
async def test_ready_names_its_checks(client: httpx2.AsyncClient, path: str) -> None:
    """The response lists each check by its name."""
    response = await client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": {"database": "ok"}})


async def test_readiness_follows_the_database(postgres_folder: Path) -> None:
    """Readiness is 503 while PostgreSQL is unavailable and 200 afterwards; liveness is always 200."""
    server = EmbeddedPostgres(postgres_folder / "data")
    app = create_notes_application(make_settings(socket_url(postgres_folder / "data", "postgres")))
    async with serving(app) as client:
        seen = [[(await client.get(path)).status_code for path in CHECKS]]
        changes: list[Callable[[], None]] = [lambda: server.start(*FAST), server.stop, server.start]
        for change in changes:
            change()
            assert (await client.get("/health/live")).status_code == 200
            seen.append([(await client.get(path)).status_code for path in CHECKS])
    server.stop()
    assert seen == [[503, 503], [200, 200], [503, 503], [200, 200]]
