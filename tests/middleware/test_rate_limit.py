"""Limits for all requests of a caller, and tighter ones for single operations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from app.core.config import Settings
from tests.conftest import serving
from tests.factories import Accounts, problem
from tests.mails import Outbox
from tests.notes.application import create_notes_application

LIMIT = 5


@asynccontextmanager
async def limited(settings: Settings, per_minute: int = LIMIT) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with limits."""
    changes = {"rate_limit_enabled": True, "rate_limit_per_minute": per_minute}
    async with serving(create_notes_application(settings.model_copy(update=changes))) as client:
        yield client


async def statuses(client: httpx2.AsyncClient, count: int, path: str = "/api/v1/notes", **options: Any) -> list[int]:
    """Return the statuses of several requests."""
    method = options.pop("method", "GET")
    return [(await client.request(method, path, **options)).status_code for _ in range(count)]


async def test_each_account_has_a_limit_of_its_own(accounts: Accounts, settings: Settings) -> None:
    """The address does not matter, and responses have the remaining quota."""
    ada, bob = await accounts.create(), await accounts.create()
    async with limited(settings) as client:
        left = []
        for _ in range(LIMIT):
            answer = await client.get("/api/v1/notes", headers=ada.headers)
            left.append(answer.headers["ratelimit"].split(";")[:2])
            assert answer.headers["ratelimit-policy"] == f'"default";q={LIMIT};w=60'
        assert left == [['"default"', f"r={n}"] for n in reversed(range(LIMIT))]
        refused = await client.get("/api/v1/notes", headers=ada.headers)
        assert problem(refused) == (429, "too_many_requests")
        assert 0 < int(refused.headers["retry-after"]) <= 120
        assert await statuses(client, 1, headers=bob.headers) == [200]


async def test_anonymous_callers_are_counted_by_address(database: object, settings: Settings) -> None:
    """Unknown paths and invalid tokens count; probes do not."""
    del database
    async with limited(settings) as client:
        forged = {"Authorization": "Bearer x.y.z"}
        answers = await statuses(client, 2, headers=forged) + await statuses(client, 2, "/nowhere")
        answers += await statuses(client, 1, "/api/v1/auth/token", method="POST") + await statuses(client, 1)
        assert answers == [401, 401, 404, 404, 400, 429]
        assert await statuses(client, 10, "/health/live") == [200] * 10
        client._transport.client = ("192.0.2.9", 1)  # type: ignore[attr-defined]  # noqa: SLF001  another peer
        assert await statuses(client, 1, headers={"X-Forwarded-For": "127.0.0.1"}) == [401]


TIGHT: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "registrations": ("POST", "/api/v1/users", 20, {"email": "ada@example.com", "password": "wrong horse battery"}),
    "links": ("POST", "/api/v1/auth/verify-email", 30, {"token": "x" * 43}),
    "mails": ("POST", "/api/v1/auth/verify-email/request", 5, {}),
    "resets": ("POST", "/api/v1/auth/password/forgot", 20, {"email": "ada@example.com"}),
}


@pytest.mark.parametrize("name", TIGHT)
async def test_some_operations_have_tighter_limits(accounts: Accounts, settings: Settings, name: str) -> None:
    """Operations that hash a password or send a mail; the headers name the limit."""
    ada = await accounts.create()
    method, path, amount, body = TIGHT[name]
    async with limited(settings, 1000) as client:
        await statuses(client, amount, path, method=method, json=body, headers=ada.headers)
        refused = await client.request(method, path, json=body, headers=ada.headers)
        assert problem(refused) == (429, "too_many_requests")
        assert refused.headers["ratelimit-policy"] == f'"{name}";q={amount};w=3600'
        assert await statuses(client, 1, headers=ada.headers) == [200]


async def test_an_address_receives_a_bounded_number_of_mails(
    accounts: Accounts, settings: Settings, outbox: Outbox
) -> None:
    """There are at most three valid links, from all callers together, and the response does not reveal it."""
    ada = await accounts.create(email="ada@example.com")
    mails = 0
    async with limited(settings, 1000) as client:
        for number in range(8):
            client._transport.client = (f"192.0.2.{number}", 1)  # type: ignore[attr-defined]  # noqa: SLF001
            asked = await client.post("/api/v1/auth/password/forgot", json={"email": ada.email})
            assert asked.status_code == 202
            mails += sum("password" in str(mail["Subject"]) for mail in await outbox.deliver())
    assert mails == 3
