"""Accounts stay with their owners: concurrent requests, old links, stale passwords and guesses."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from tests.api.v1.test_account import FORGOT, ME, NEW_PASSWORD, RESET, VERIFY, change_email, post
from tests.api.v1.test_sessions import is_logged_in
from tests.conftest import _upgrade, serving
from tests.databases import DatabaseMaker
from tests.factories import PASSWORD, Account, Accounts, problem
from tests.mails import Outbox
from tests.notes.application import create_notes_application

TOKEN = "/api/v1/auth/token"


async def log_in(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> httpx2.Response:
    """Send the form of a login."""
    return await client.post(TOKEN, data={"grant_type": "password", "username": email, "password": password})


async def change_password(account: Account, new: str = NEW_PASSWORD) -> httpx2.Response:
    """Replace the usual password."""
    data = {"current_password": PASSWORD, "new_password": new}
    return await account.request("PUT", f"{ME}/password", json=data)


async def reset_password(account: Account, outbox: Outbox) -> None:
    """Reset the password with the link from the mail."""
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
    """This covers a link that was sent and a mail that is still in the queue."""
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
    """Logins that verify the old password concurrently are refused, or their sessions end."""
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
    """A replica may not have the change yet."""
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
    async with serving(create_notes_application(lagging)) as client:
        assert problem(await log_in(client, ada.email)) == (400, "invalid_grant")
        assert (await log_in(client, ada.email, NEW_PASSWORD)).status_code == 200


async def test_a_completed_change_of_address_ends_every_session(accounts: Accounts, outbox: Outbox) -> None:
    """The former address gets a notice."""
    ada = await accounts.create()
    await outbox.deliver()
    await change_email(ada, "new@example.com")
    assert (await post(ada.client, VERIFY, token=await outbox.token_to("new@example.com"))).status_code == 204
    assert not await is_logged_in(ada)
    [notice] = await outbox.deliver()
    assert (notice["To"], "address" in notice["Subject"]) == (ada.email, True)


async def test_owners_are_notified_of_changes(accounts: Accounts, outbox: Outbox) -> None:
    """Changes and resets of the password, and the deletion of the account."""
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
    """The role is checked again under the lock."""
    first, second, _ = [await accounts.create(admin=True) for _ in range(3)]
    answers = await asyncio.gather(
        first.request("PATCH", f"/api/v1/users/{second.id}", json={"role": "user"}),
        second.request("PATCH", f"/api/v1/users/{first.id}", json={"role": "user"}),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 403])


QUIET: dict[str, Any] = {"registration_reveals_accounts": False}


async def test_the_current_session_is_always_listed(accounts: Accounts) -> None:
    """This holds even if there are many newer sessions."""
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
