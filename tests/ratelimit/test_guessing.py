"""Limits on guessing passwords."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from app.core.config import Settings
from tests.conftest import serving
from tests.factories import PASSWORD, Accounts, problem
from tests.notes.application import create_notes_application


@asynccontextmanager
async def limited(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with limits, whose address the test chooses."""
    async with serving(create_notes_application(settings.model_copy(update={"rate_limit_enabled": True}))) as client:
        yield client


async def log_in(client: httpx2.AsyncClient, email: str, password: str, address: str = "192.0.2.1") -> httpx2.Response:
    """Try a password from an address."""
    client._transport.client = (address, 1)  # type: ignore[attr-defined]  # noqa: SLF001  what a proxy would report
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post("/api/v1/auth/token", data=form)


async def test_guessing_is_limited_and_the_owner_elsewhere_is_not(accounts: Accounts, settings: Settings) -> None:
    """The spelling of the address does not matter, and after the limit the right password is refused, too."""
    ada = await accounts.create(email="ada.lovelace@example.com")
    async with limited(settings) as client:
        spellings = ("ada.lovelace@example.com", "ADA.LOVELACE@example.com")
        guesses = [await log_in(client, spellings[n % 2], "wrong password") for n in range(10)]
        assert {problem(guess) for guess in guesses} == {(400, "invalid_grant")}
        refused = await log_in(client, ada.email, PASSWORD)
        assert problem(refused) == (429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        assert (await log_in(client, ada.email, PASSWORD, "198.51.100.7")).status_code == 200


async def test_one_address_cannot_try_many_accounts(database: object, settings: Settings) -> None:
    """It is limited even with few attempts at each account."""
    del database
    async with limited(settings) as client:
        answers = [await log_in(client, f"user{n}@example.com", "wrong password") for n in range(101)]
        assert [answer.status_code for answer in answers] == [400] * 100 + [429]
        assert (await log_in(client, "user@example.com", "wrong", "198.51.100.7")).status_code == 400


async def test_a_stolen_token_does_not_help_to_guess_the_password(accounts: Accounts, settings: Settings) -> None:
    """Operations that ask for the password count attempts, too."""
    ada = await accounts.create()
    async with limited(settings) as client:
        statuses = []
        for _ in range(11):
            request = client.request("DELETE", "/api/v1/users/me", headers=ada.headers, json={"password": "wrong"})
            statuses.append((await request).status_code)
    assert statuses == [403] * 10 + [429]
