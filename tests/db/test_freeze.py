"""A frozen PostgreSQL: all its processes are stopped, and all connections are open."""

import asyncio
from pathlib import Path

import pytest

from app.core.database_url import socket_url
from app.db.migrations import upgrade
from devtools.postgres import running_postgres
from tests.conftest import make_settings, serving
from tests.databases import FAST
from tests.factories import PASSWORD, problem
from tests.notes.application import create_notes_application

REGISTRATION = {"email": "ada@example.com", "password": PASSWORD}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the server's processes")
async def test_nothing_hangs_and_it_heals_without_a_restart(postgres_folder: Path) -> None:
    """Requests fail within their deadline and readiness is 503 meanwhile; afterwards everything works."""
    with running_postgres(postgres_folder / "pg", *FAST) as server:
        settings = make_settings(socket_url(postgres_folder / "pg", "postgres"), request_timeout_seconds=1.5)
        await asyncio.to_thread(upgrade, settings)
        app = create_notes_application(settings)
        async with serving(app) as client:
            assert (await client.post("/api/v1/users", json=REGISTRATION)).status_code == 201
            with server.frozen():
                async with asyncio.timeout(8):
                    ready, live, *writes = await asyncio.gather(
                        client.get("/health/ready"),
                        client.get("/health/live"),
                        *(client.post("/api/v1/users", json=REGISTRATION) for _ in range(3)),
                    )
                assert (ready.status_code, live.status_code) == (503, 200)
                assert {problem(write) for write in writes} <= {
                    (504, "deadline_exceeded"),
                    (503, "database_unavailable"),
                    (503, "overloaded"),
                }
            async with asyncio.timeout(10):
                while (await client.get("/health/ready")).status_code != 200:  # noqa: ASYNC110  there is no event to wait for
                    await asyncio.sleep(0.05)
            assert problem(await client.post("/api/v1/users", json=REGISTRATION)) == (409, "email_taken")
