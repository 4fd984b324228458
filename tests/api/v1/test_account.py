"""Verification, recovery and changes of the account, over HTTP and by mail."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import httpx2
import pytest
from sqlalchemy import update

from app.db.database import Database
from app.models.one_time_token import OneTimeToken
from tests.api.v1.test_sessions import is_logged_in
from tests.factories import PASSWORD, Account, Accounts, problem
from tests.mails import Outbox, body

NEW_PASSWORD = "another horse battery staple"
VERIFY, FORGOT, RESET = "/api/v1/auth/verify-email", "/api/v1/auth/password/forgot", "/api/v1/auth/password/reset"
ME = "/api/v1/users/me"


async def post(client: httpx2.AsyncClient, path: str, **data: str) -> httpx2.Response:
    """Send a request without a token."""
    return await client.post(path, json=data)


async def change_email(account: Account, email: str, password: str = PASSWORD) -> httpx2.Response:
    """Request a change of the e-mail address."""
    return await account.request("PUT", f"{ME}/email", json={"email": email, "password": password})


async def expire(database: Database) -> None:
    """Let all links expire."""
    async with database.unit_of_work() as session:
        await session.execute(update(OneTimeToken).values(expires_at=datetime.now(UTC)))


async def is_verified(account: Account) -> bool:
    """Return whether the e-mail address is verified."""
    return bool((await account.request("GET", ME)).json()["is_verified"])


async def test_a_new_user_verifies_the_address_with_the_mailed_link(accounts: Accounts, outbox: Outbox) -> None:
    """The link works once, and its address is made from PUBLIC_URL."""
    ada = await accounts.create()
    [mail] = await outbox.deliver()
    assert "http://localhost:8000/verify-email#token=" in body(mail)
    token = body(mail).split("#token=")[1].split()[0]
    assert not await is_verified(ada)
    assert (await post(ada.client, VERIFY, token=token)).status_code == 204
    assert await is_verified(ada)
    assert problem(await post(ada.client, VERIFY, token=token)) == (400, "token_invalid")


async def test_another_link_can_be_asked_for_until_the_address_is_confirmed(accounts: Accounts, outbox: Outbox) -> None:
    """Both links work until one is used; after that no further link is sent."""
    ada = await accounts.create()
    first = await outbox.token_to(ada.email)
    assert (await ada.request("POST", f"{VERIFY}/request")).status_code == 202
    second = await outbox.token_to(ada.email)
    assert (await post(ada.client, VERIFY, token=first)).status_code == 204
    assert problem(await post(ada.client, VERIFY, token=second)) == (400, "token_invalid")
    assert (await ada.request("POST", f"{VERIFY}/request")).status_code == 202
    assert await outbox.deliver() == []


async def test_a_forgotten_password_is_reset_with_the_mailed_link(accounts: Accounts, outbox: Outbox) -> None:
    """The link works once; every session ends, and the old password is invalid."""
    ada = await accounts.create()
    await outbox.deliver()
    assert (await post(ada.client, FORGOT, email=ada.email.upper())).status_code == 202
    token = await outbox.token_to(ada.email)
    assert (await post(ada.client, RESET, token=token, new_password=NEW_PASSWORD)).status_code == 204
    assert not await is_logged_in(ada)
    again = await post(ada.client, RESET, token=token, new_password=NEW_PASSWORD)
    assert problem(again) == (400, "token_invalid")
    assert await is_logged_in(await accounts.log_in(ada.email, NEW_PASSWORD))
    form = {"grant_type": "password", "username": ada.email, "password": PASSWORD}
    assert problem(await ada.client.post("/api/v1/auth/token", data=form)) == (400, "invalid_grant")


async def test_a_link_that_is_used_concurrently_works_once(accounts: Accounts, outbox: Outbox) -> None:
    """The database decides which request succeeds."""
    ada = await accounts.create()
    await outbox.deliver()
    await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    answers = await asyncio.gather(
        *(post(ada.client, RESET, token=token, new_password=f"{NEW_PASSWORD} {n}") for n in range(10))
    )
    assert Counter(answer.status_code for answer in answers) == {204: 1, 400: 9}


async def test_password_forgot_does_not_reveal_accounts(accounts: Accounts, outbox: Outbox) -> None:
    """Known and unknown addresses get the same response and enqueue one job; only an account gets a mail."""
    ada = await accounts.create()
    await accounts.change(ada.id, is_active=False)
    await outbox.deliver()
    known = await post(ada.client, FORGOT, email=ada.email)
    unknown = await post(ada.client, FORGOT, email="nobody@example.com")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert await outbox.deliver() == []


@pytest.mark.parametrize("path", [VERIFY, RESET])
async def test_links_expire(accounts: Accounts, outbox: Outbox, database: Database, path: str) -> None:
    """An expired link changes nothing."""
    ada = await accounts.create()
    if path == RESET:
        await outbox.deliver()
        await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    await expire(database)
    data = {"token": token} | ({"new_password": NEW_PASSWORD} if path == RESET else {})
    assert problem(await post(ada.client, path, **data)) == (400, "token_invalid")
    assert await is_logged_in(ada)
    assert not await is_verified(ada)
