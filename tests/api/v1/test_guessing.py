"""Guessing passwords and probing for accounts."""

import pytest

from app.core.config import Settings
from tests.api.v1.test_account import ME, NEW_PASSWORD, RESET, VERIFY, post
from tests.api.v1.test_takeover import QUIET, log_in
from tests.conftest import serving
from tests.factories import PASSWORD, Accounts, problem
from tests.mails import Outbox, body
from tests.notes.application import create_notes_application


async def test_registering_reveals_nothing_where_that_is_set(
    accounts: Accounts, settings: Settings, outbox: Outbox
) -> None:
    """All responses are equal; the owner gets a mail; a login needs the link from the mail."""
    ada = await accounts.create()
    await outbox.deliver()
    async with serving(create_notes_application(settings.model_copy(update=QUIET))) as client:
        taken, free = [
            await client.post("/api/v1/users", json={"email": email, "password": NEW_PASSWORD})
            for email in (ada.email, "new@example.com")
        ]
        assert (taken.status_code, taken.content) == (free.status_code, free.content) == (202, b"")
        mails = {mail["To"]: body(mail) for mail in await outbox.deliver()}
        assert "already exists" in mails[ada.email]
        assert problem(await log_in(client, "new@example.com", NEW_PASSWORD)) == (400, "invalid_grant")
        token = mails["new@example.com"].split("#token=")[1].split()[0]
        assert (await post(client, VERIFY, token=token)).status_code == 204
        assert (await log_in(client, "new@example.com", NEW_PASSWORD)).status_code == 200


async def test_changing_the_address_reveals_nothing_where_that_is_set(
    accounts: Accounts, settings: Settings, outbox: Outbox
) -> None:
    """A taken address gets the same response as a free one, and its owner gets a mail."""
    ada, bob = await accounts.create(), await accounts.create()
    await outbox.deliver()
    async with serving(create_notes_application(settings.model_copy(update=QUIET))) as client:
        data = {"email": bob.email, "password": PASSWORD}
        answer = await client.put(f"{ME}/email", json=data, headers=ada.headers)
    assert answer.status_code == 202
    assert "already exists" in {mail["To"]: body(mail) for mail in await outbox.deliver()}[bob.email]


@pytest.mark.parametrize("exists", [True, False])
async def test_guesses_at_one_account_are_bounded_over_all_networks(
    accounts: Accounts, settings: Settings, outbox: Outbox, exists: bool
) -> None:
    """Unknown accounts are limited, too; a network with a live session may log in; the owner gets a link."""
    ada = await accounts.create()
    await outbox.deliver()
    email = ada.email if exists else "nobody@example.com"
    async with serving(create_notes_application(settings.model_copy(update={"rate_limit_enabled": True}))) as client:
        statuses = []
        for number in range(102):
            client._transport.client = (f"198.51.{number}.1", 1)  # type: ignore[attr-defined]  # noqa: SLF001
            statuses.append((await log_in(client, email, "a wrong password")).status_code)
        assert statuses == [400] * 100 + [429] * 2
        if not exists:
            assert await outbox.deliver() == []
            return
        client._transport.client = ("127.0.0.1", 1)  # type: ignore[attr-defined]  # noqa: SLF001  the session's network
        assert (await log_in(client, email)).status_code == 200
        [mail] = await outbox.deliver()
        token = body(mail).split("#token=")[1].split()[0]
        client._transport.client = ("203.0.113.9", 1)  # type: ignore[attr-defined]  # noqa: SLF001
        assert (await log_in(client, email)).status_code == 429
        assert (await post(client, RESET, token=token, new_password=NEW_PASSWORD)).status_code == 204
        assert (await log_in(client, email, NEW_PASSWORD)).status_code == 200


async def test_new_accounts_bring_no_allowance_of_their_own(accounts: Accounts, settings: Settings) -> None:
    """Registrations are counted by IP address, even with a token."""
    ada, bob = await accounts.create(), await accounts.create()
    async with serving(create_notes_application(settings.model_copy(update={"rate_limit_enabled": True}))) as client:
        for number in range(20):
            data = {"email": f"{number}@example.com", "password": PASSWORD}
            assert (await client.post("/api/v1/users", json=data, headers=ada.headers)).status_code == 201
        data = {"email": "more@example.com", "password": PASSWORD}
        assert problem(await client.post("/api/v1/users", json=data, headers=bob.headers)) == (429, "too_many_requests")
