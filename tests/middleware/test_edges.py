"""Timeouts and limits of a process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI

from app.core.config import Settings
from app.dependencies import Public
from tests.conftest import make_settings, serving
from tests.factories import problem
from tests.notes.application import create_notes_application

DSN = "postgresql://127.0.0.1:1/app"


def application(**changes: Any) -> FastAPI:
    """The service without a database, and with an operation that never ends."""
    app = create_notes_application(make_settings(DSN, **changes))

    @app.get("/endless", dependencies=[Public])
    async def endless() -> None:
        await asyncio.Event().wait()

    return app


async def test_an_answer_that_takes_too_long_is_a_504() -> None:
    """The handler is cancelled."""
    async with serving(application(request_timeout_seconds=0.1)) as client:
        assert problem(await client.get("/endless")) == (504, "deadline_exceeded")
        assert (await client.get("/health/live")).status_code == 200


async def test_a_body_that_arrives_too_slowly_is_a_408() -> None:
    """The connection is closed, because the rest of the body may follow."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"email": "a@exam'
        await asyncio.Event().wait()

    async with serving(application(receive_timeout_seconds=0.1)) as client:
        headers = {"Content-Type": "application/json"}
        response = await client.post("/api/v1/users", content=trickle(), headers=headers)
    assert problem(response) == (408, "request_timeout")
    assert response.headers["connection"] == "close"


async def test_requests_above_the_limit_get_503_immediately_and_probes_pass() -> None:
    """Requests are accepted again when others have finished."""
    async with serving(application(max_concurrent_requests=3, request_timeout_seconds=1)) as client:
        waiting = [asyncio.create_task(client.get("/endless")) for _ in range(10)]
        live = await client.get("/health/live")
        answers = await asyncio.gather(*waiting)
        assert Counter(problem(answer) for answer in answers) == {
            (504, "deadline_exceeded"): 3,
            (503, "overloaded"): 7,
        }
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"
        assert live.status_code == 200
        assert (await client.get("/api/v1/health")).json()["status"] == "unavailable"


async def test_a_client_that_gives_up_leaves_its_connection_to_the_next(settings: Settings, database: object) -> None:
    """100 requests are cancelled; the pool of one connection still works."""
    del database
    app = create_notes_application(settings.model_copy(update={"database_pool_size": 1}))
    async with serving(app) as client:
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        for steps in range(100):
            request = asyncio.create_task(client.post("/api/v1/auth/token", data=form))
            for _ in range(steps % 50):
                await asyncio.sleep(0)
            request.cancel()
            await asyncio.wait([request])
        assert problem(await client.post("/api/v1/auth/token", data=form)) == (400, "invalid_grant")
