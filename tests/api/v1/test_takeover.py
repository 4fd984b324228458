"""Accounts stay with their owners: races, old links, stale passwords and guesses."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from app.main import create_application
from tests.api.v1.test_account import FORGOT, ME, NEW_PASSWORD, RESET, VERIFY, change_email, post
from tests.api.v1.test_sessions import is_logged_in
from tests.conftest import DatabaseMaker, _upgrade, serving
from tests.factories import PASSWORD, Account, Accounts, problem
from tests.mails import Outbox, body

TOKEN = "/api/v1/auth/token"


async def log_in(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> httpx2.Response:
    """Send the form of a login."""
    return await client.post(TOKEN, data={"grant_type": "password", "username": email, "password": password})


async def change_password(account: Account, new: str = NEW_PASSWORD) -> httpx2.Response:
    """Replace the usual password."""
    data = {"current_password": PASSWORD, "new_password": new}
    return await account.request("PUT", f"{ME}/password", json=data)


async def reset_password(account: Account, outbox: Outbox) -> None:
    """Reset it by mail."""
    await post(account.client, FORGOT, email=account.email)
    token = await outbox.token_to(account.email)
    assert (await post(account.client, RESET, token=token, new_password=NEW_PASSWORD)).status_code == 204


async def disable(account: Account, accounts: Accounts) -> None:
    """Let an administrator disable the account, and enable it again."""
    root = await accounts.create(admin=True)
    for is_active in (False, True):
        await root.request("PATCH", f"/api/v1/users/{account.id}", json={"is_active": is_active})


@pytest.mark.parametrize("event", ["change", "reset", "disable"])
@pytest.mark.parametrize("is_mailed", [True, False])
async def test_a_change_of_credentials_voids_a_requested_change_of_address(
    accounts: Accounts, outbox: Outbox, event: str, is_mailed: bool
) -> None:
    """The link that was mailed, and the mail that still waits in the queue."""
    ada = await accounts.create()
    await outbox.deliver()
    await change_email(ada, "thief@example.com")
    token = await outbox.token_to("thief@example.com") if is_mailed else ""
    if event == "change":
        assert (await change_password(ada)).status_code == 204
    elif event == "reset":
        if not is_mailed:
            return  # Delivering the mail that resets delivers the other one, too.
        await reset_password(ada, outbox)
    else:
        await disable(ada, accounts)
    mails = await outbox.deliver()
    assert not [mail for mail in mails if mail["To"] == "thief@example.com"]
    if is_mailed:
        assert problem(await post(ada.client, VERIFY, token=token)) == (400, "token_invalid")


async def test_no_session_outlives_a_change_of_the_password_that_opened_it(accounts: Accounts) -> None:
    """Logins that verify the old password while it is changed are refused, or end with it."""
    ada = await accounts.create()
    logins = [asyncio.create_task(log_in(ada.client, ada.email)) for _ in range(24)]
    changed = await change_password(ada)
    assert changed.status_code == 204
    for answer in await asyncio.gather(*logins):
        assert answer.status_code in (200, 400, 503)
        if answer.status_code == 200:
            assert not await is_logged_in(ada, answer.json()["access_token"])
    assert await is_logged_in(ada)


async def test_of_many_changes_with_one_password_one_succeeds(accounts: Accounts) -> None:
    """The password is compared again under the lock."""
    ada = await accounts.create()
    answers = await asyncio.gather(*(change_password(ada, f"{NEW_PASSWORD} {number}") for number in range(10)))
    assert sum(answer.status_code == 204 for answer in answers) == 1


async def test_a_password_is_read_from_the_primary(
    accounts: Accounts, settings: Settings, new_database: DatabaseMaker
) -> None:
    """A replica may not know of the change yet."""
    ada = await accounts.create()
    stale = settings.model_copy(update={"database_url": type(settings.database_url)(await new_database.make())})
    await _upgrade(stale)
    behind = Database(stale)
    async with accounts.database.unit_of_work() as now, behind.unit_of_work() as then:
        row = (await now.execute(text("SELECT id, email, hashed_password FROM users"))).mappings().one()
        insert = "INSERT INTO users (id, email, hashed_password) VALUES (:id, :email, :hashed_password)"
        await then.execute(text(insert), dict(row))
    await behind.dispose()
    assert (await change_password(ada)).status_code == 204
    lagging = settings.model_copy(update={"database_replica_url": stale.database_url})
    async with serving(create_application(lagging)) as client:
        assert problem(await log_in(client, ada.email)) == (400, "invalid_grant")
        assert (await log_in(client, ada.email, NEW_PASSWORD)).status_code == 200


async def test_a_completed_change_of_address_ends_every_session(accounts: Accounts, outbox: Outbox) -> None:
    """And the former address is notified."""
    ada = await accounts.create()
    await outbox.deliver()
    await change_email(ada, "new@example.com")
    assert (await post(ada.client, VERIFY, token=await outbox.token_to("new@example.com"))).status_code == 204
    assert not await is_logged_in(ada)
    [notice] = await outbox.deliver()
    assert (notice["To"], "address" in notice["Subject"]) == (ada.email, True)


async def test_owners_are_notified_of_changes(accounts: Accounts, outbox: Outbox) -> None:
    """Of the password, by whatever way, and of a deletion."""
    ada = await accounts.create()
    await outbox.deliver()
    await change_password(ada)
    assert ["password" in mail["Subject"] for mail in await outbox.deliver()] == [True]
    await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    await post(ada.client, RESET, token=token, new_password=PASSWORD)
    assert ["password" in mail["Subject"] for mail in await outbox.deliver()] == [True]
    again = await accounts.log_in(ada.email)
    await again.request("DELETE", ME, json={"password": PASSWORD})
    assert ["deleted" in mail["Subject"] for mail in await outbox.deliver()] == [True]


async def test_of_three_administrators_two_cannot_demote_each_other(accounts: Accounts) -> None:
    """The privilege is checked again under the lock."""
    first, second, _ = [await accounts.create(admin=True) for _ in range(3)]
    answers = await asyncio.gather(
        first.request("PATCH", f"/api/v1/users/{second.id}", json={"role": "user"}),
        second.request("PATCH", f"/api/v1/users/{first.id}", json={"role": "user"}),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 403])


QUIET: dict[str, Any] = {"registration_reveals_accounts": False}


async def test_registering_reveals_nothing_where_that_is_set(
    accounts: Accounts, settings: Settings, outbox: Outbox
) -> None:
    """Every answer is the same; the owner gets a mail; a login needs the link from the mail."""
    ada = await accounts.create()
    await outbox.deliver()
    async with serving(create_application(settings.model_copy(update=QUIET))) as client:
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
    """A taken address is answered like a free one, and its owner gets a mail."""
    ada, bob = await accounts.create(), await accounts.create()
    await outbox.deliver()
    async with serving(create_application(settings.model_copy(update=QUIET))) as client:
        data = {"email": bob.email, "password": PASSWORD}
        answer = await client.put(f"{ME}/email", json=data, headers=ada.headers)
    assert answer.status_code == 202
    assert "already exists" in {mail["To"]: body(mail) for mail in await outbox.deliver()}[bob.email]


@pytest.mark.parametrize("exists", [True, False])
async def test_guesses_at_one_account_are_bounded_over_all_networks(
    accounts: Accounts, settings: Settings, outbox: Outbox, exists: bool
) -> None:
    """Alike whether the account exists; a network with a live session goes on; the owner gets a link that works."""
    ada = await accounts.create()
    await outbox.deliver()
    email = ada.email if exists else "nobody@example.com"
    async with serving(create_application(settings.model_copy(update={"rate_limit_enabled": True}))) as client:
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
    """Registrations count by address, whatever token comes along."""
    ada, bob = await accounts.create(), await accounts.create()
    async with serving(create_application(settings.model_copy(update={"rate_limit_enabled": True}))) as client:
        for number in range(20):
            data = {"email": f"{number}@example.com", "password": PASSWORD}
            assert (await client.post("/api/v1/users", json=data, headers=ada.headers)).status_code == 201
        data = {"email": "more@example.com", "password": PASSWORD}
        assert problem(await client.post("/api/v1/users", json=data, headers=bob.headers)) == (429, "too_many_requests")


@pytest.mark.parametrize(
    "password", ["Summer2026!!", "P@ssw0rd1234", "ada.lovelace", "Lovelace1815", "abcabcabcabc", "qwertyuiopas"]
)
async def test_easy_passwords_are_refused(client: httpx2.AsyncClient, password: str) -> None:
    """Common ones with decorations, and the words of the account itself."""
    data = {"email": "ada.lovelace@example.com", "password": password, "full_name": "Ada Lovelace"}
    response = await client.post("/api/v1/users", json=data)
    assert response.status_code == 422
    assert "password_too_common" in response.text


async def test_the_password_of_the_brief_registers(client: httpx2.AsyncClient) -> None:
    """No rule of composition, and no list that is longer than it needs to be."""
    data = {"email": "user@example.com", "password": "securepassword"}
    assert (await client.post("/api/v1/users", json=data)).status_code == 201


async def test_own_words_are_refused_in_a_change_and_a_reset(accounts: Accounts, outbox: Outbox) -> None:
    """As in a registration."""
    ada = await accounts.create(email="ada.lovelace@example.com")
    await outbox.deliver()
    assert problem(await change_password(ada, "ada.lovelace1")) == (422, "password_too_common")
    await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    refused = await post(ada.client, RESET, token=token, new_password="ada.lovelace1")
    assert problem(refused) == (422, "password_too_common")


async def test_a_lone_surrogate_in_a_password_is_refused(accounts: Accounts) -> None:
    """In every field for one: UTF-8 has no code for it."""
    ada = await accounts.create()
    bad = "\\ud800 is not a character"
    requests = [
        ("POST", "/api/v1/users", f'{{"email": "a@example.com", "password": "{bad}"}}'),
        ("PUT", f"{ME}/password", f'{{"current_password": "{bad}", "new_password": "{bad}"}}'),
        ("PUT", f"{ME}/email", f'{{"email": "a@example.com", "password": "{bad}"}}'),
        ("DELETE", ME, f'{{"password": "{bad}"}}'),
        ("POST", RESET, f'{{"token": "{bad}", "new_password": "{bad}"}}'),
        ("POST", VERIFY, f'{{"token": "{bad}"}}'),
    ]
    for method, path, content in requests:
        headers = {"Content-Type": "application/json"}
        response = await ada.request(method, path, content=content.encode(), headers=headers)
        assert problem(response) == (422, "validation_failed"), path


async def test_a_name_is_one_line_and_not_quoted_to_strangers(accounts: Accounts, outbox: Outbox) -> None:
    """Otherwise anybody could write mails that we send."""
    evil = "you won: https://evil.example"
    data = {"email": "victim@example.com", "password": PASSWORD, "full_name": evil}
    client = accounts.client
    for name in ("a\nb", "a\u2028b", "a\x85b"):
        assert (await client.post("/api/v1/users", json={**data, "full_name": name})).status_code == 422
    assert (await client.post("/api/v1/users", json=data)).status_code == 201
    await post(client, FORGOT, email="victim@example.com")
    mails = await outbox.deliver()
    assert len(mails) == 2
    assert not [mail for mail in mails if "evil.example" in mail.as_string()]


@pytest.mark.parametrize(
    ("given", "stored"),
    [("Bob@Example.COM", "bob@example.com"), ("bob@straße.de", "bob@straße.de"), ("BOB@STRASSE.de", "bob@strasse.de")],
)
async def test_an_address_keeps_its_domain(client: httpx2.AsyncClient, given: str, stored: str) -> None:
    """IDNA 2008: ß is a letter of its own, and another domain than ss."""
    response = await client.post("/api/v1/users", json={"email": given, "password": PASSWORD})
    assert response.json()["email"] == stored
    assert (await log_in(client, given)).status_code == 200


@pytest.mark.parametrize("email", ["ünï@example.com", "=?utf-8?q?a?=@example.com"])
async def test_an_address_that_no_mail_reaches_is_refused(client: httpx2.AsyncClient, email: str) -> None:
    """At the door, not by a job that fails five times."""
    response = await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
    assert problem(response) == (422, "validation_failed")


async def test_the_current_session_is_always_listed(accounts: Accounts) -> None:
    """However many newer ones there are."""
    ada = await accounts.create()
    expires = datetime.now(UTC) + timedelta(days=1)
    async with accounts.database.unit_of_work() as session:
        insert = (
            "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at) "
            "SELECT ('ffffffff-ffff-7fff-8fff-' || lpad(n::text, 12, '0'))::uuid, :user, now(), now(), :expires "
            "FROM generate_series(1, 120) AS n"
        )
        await session.execute(text(insert), {"user": ada.id, "expires": expires})
    items = (await ada.request("GET", "/api/v1/auth/sessions")).json()["items"]
    assert len(items) == 100
    assert [item["is_current"] for item in items] == [False] * 99 + [True]
