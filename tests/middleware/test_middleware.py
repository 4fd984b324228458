"""The middleware, over HTTP and one by one."""

import json
import logging
import re
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.config import Settings
from app.core.exceptions import InvalidHostError
from app.dependencies import Public
from app.main import middleware
from app.middleware.failures import CatchAllMiddleware
from app.middleware.trusted_hosts import TrustedHostsMiddleware
from app.observability.metrics import Metrics
from tests.conftest import BASE_URL, SAFE_IN_PRODUCTION, make_settings, serving, with_state
from tests.factories import Accounts, problem
from tests.notes.application import create_notes_application

DSN = "postgresql://db.internal/app"


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    """A client of one ASGI application."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE_URL)


async def test_every_answer_carries_the_security_headers(client: httpx2.AsyncClient) -> None:
    """This includes errors."""
    for path in ("/health/live", "/nowhere", "/api/v1/notes"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "strict-transport-security" not in headers
        assert "server" not in headers


async def test_https_is_promised_where_it_is_served() -> None:
    """The scheme of PUBLIC_URL decides."""
    app = create_notes_application(make_settings(DSN, public_url="https://localhost"))
    async with client_of(app) as client:
        assert "max-age" in (await client.get("/health/live")).headers["strict-transport-security"]


async def test_the_documentation_needs_no_other_host(client: httpx2.AsyncClient) -> None:
    """Scripts and styles are served from here, and the policy allows no other source."""
    for path in ("/api/docs", "/api/redoc", "/api/docs/"):
        response = await client.get(path)
        assert response.status_code == 200
        assert "https://" not in response.headers["content-security-policy"]
        links = re.findall(r'(?:src|href)="([^"]+)"', response.text)
        assert links
        for link in links:
            assert (await client.get(link)).status_code == 200, link


async def test_in_production_there_is_no_documentation() -> None:
    """Neither the pages nor the document; staging has both."""
    paths = ("/api/docs", "/api/redoc", "/api/openapi.json")
    async with serving(create_notes_application(make_settings(DSN, **SAFE_IN_PRODUCTION))) as client:
        client.base_url = httpx2.URL("https://api.example.com")
        for path in (*paths, "/api/docs/assets/swagger-ui.css", "/docs", "/openapi.json"):
            assert problem(await client.get(path)) == (404, "not_found")
    async with serving(create_notes_application(make_settings(DSN, environment="staging"))) as client:
        assert [(await client.get(path)).status_code for path in paths] == [200] * 3


async def test_known_origins_may_call_and_read_errors() -> None:
    """Other origins get no CORS headers."""
    app = create_notes_application(make_settings(DSN, allowed_origins="https://app.example"))
    async with client_of(app) as client:
        ours = await client.get("/nowhere", headers={"Origin": "https://app.example"})
        theirs = await client.get("/nowhere", headers={"Origin": "https://evil.example"})
        preflight = await client.options(
            "/api/v1/notes", headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        )
    assert ours.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in theirs.headers
    assert preflight.status_code == 200


async def test_an_unexpected_exception_is_a_problem_that_says_nothing(
    settings: Settings, accounts: Accounts, logs: pytest.LogCaptureFixture
) -> None:
    """It has the request id; the stack is logged, and CORS headers let a page read the response."""
    ada = await accounts.create()
    app = create_notes_application(settings.model_copy(update={"allowed_origins": ("https://app.example",)}))

    logging.getLogger().addHandler(logs.handler)  # the application has configured logging

    @app.get("/broken", dependencies=[Public])
    async def broken() -> None:
        raise RuntimeError("canary")

    async with app.router.lifespan_context(app) as state, client_of(with_state(app, state)) as client:  # type: ignore[arg-type]
        response = await client.get("/broken", headers={"Origin": "https://app.example", **ada.headers})
    assert problem(response) == (500, "internal_error")
    assert "canary" not in response.text
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    [record] = [r for r in logs.records if isinstance(r.msg, dict) and r.msg["event"] == "unhandled exception"]
    assert isinstance(record.msg, dict)
    assert str(record.msg["exc_info"]) == "canary"
    assert record.msg["request_id"] == response.headers["x-request-id"]


async def test_half_an_answer_is_not_completed_with_another() -> None:
    """The connection is closed, so that the client notices the error."""
    rendered: list[Exception] = []

    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    def render(scope: Scope, error: Exception) -> Response:
        del scope
        rendered.append(error)
        return PlainTextResponse("never sent")

    async with client_of(CatchAllMiddleware(breaks_off, render)) as client:
        with pytest.raises(RuntimeError):
            await client.get("/")
    assert len(rendered) == 1


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("api.example", True),
        ("API.example:8443", True),
        ("eu.cdn.example", True),
        ("cdn.example", False),
        ("evilcdn.example", False),
        ("api.example.evil", False),
        ("", False),
    ],
)
async def test_hosts_are_matched_whole(host: str, is_served: bool) -> None:
    """Case and port do not matter; `*.` stands for subdomains only."""
    reached = PlainTextResponse("reached")
    guarded = TrustedHostsMiddleware(reached, ("api.example", "*.cdn.example"))
    async with client_of(guarded) as client:
        if is_served:
            assert (await client.get("/", headers={"Host": host})).text == "reached"
        else:
            with pytest.raises(InvalidHostError):
                await client.get("/", headers={"Host": host})


async def test_scopes_that_are_not_http_pass_through() -> None:
    """Lifespan and WebSocket scopes are not changed."""
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {}

    settings = make_settings(DSN)
    layers = middleware(settings, Metrics(settings))
    for layer in layers:
        await layer.cls(inner, *layer.args, **layer.kwargs)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"] * len(layers)


async def test_a_trailing_slash_of_the_root_stays() -> None:
    """There is no path without it."""
    app = create_notes_application(make_settings(DSN))
    async with client_of(app) as client:
        assert json.loads((await client.get("/")).text)["instance"] == "/"
