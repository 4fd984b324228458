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
    """Post without logging in."""
    return await client.post(path, json=data)


async def change_email(account: Account, email: str, password: str = PASSWORD) -> httpx2.Response:
    """Ask to move to another address."""
    return await account.request("PUT", f"{ME}/email", json={"email": email, "password": password})


async def expire(database: Database) -> None:
    """Let the time of every link run out."""
    async with database.unit_of_work() as session:
        await session.execute(update(OneTimeToken).values(expires_at=datetime.now(UTC)))


async def is_verified(account: Account) -> bool:
    """Whether the address is confirmed."""
    return bool((await account.request("GET", ME)).json()["is_verified"])


async def test_whoever_registers_confirms_the_address_with_the_mailed_link(accounts: Accounts, outbox: Outbox) -> None:
    """Once; the link is made from PUBLIC_URL."""
    ada = await accounts.create()
    [mail] = await outbox.deliver()
    assert "http://localhost:8000/verify-email#token=" in body(mail)
    token = body(mail).split("#token=")[1].split()[0]
    assert not await is_verified(ada)
    assert (await post(ada.client, VERIFY, token=token)).status_code == 204
    assert await is_verified(ada)
    assert problem(await post(ada.client, VERIFY, token=token)) == (400, "token_invalid")


async def test_another_link_can_be_asked_for_until_the_address_is_confirmed(accounts: Accounts, outbox: Outbox) -> None:
    """Both links work until one is used; then none is sent."""
    ada = await accounts.create()
    first = await outbox.token_to(ada.email)
    assert (await ada.request("POST", f"{VERIFY}/request")).status_code == 202
    second = await outbox.token_to(ada.email)
    assert (await post(ada.client, VERIFY, token=first)).status_code == 204
    assert problem(await post(ada.client, VERIFY, token=second)) == (400, "token_invalid")
    assert (await ada.request("POST", f"{VERIFY}/request")).status_code == 202
    assert await outbox.deliver() == []


async def test_a_forgotten_password_is_reset_with_the_mailed_link(accounts: Accounts, outbox: Outbox) -> None:
    """Once; every session ends and the old password is void."""
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


async def test_of_many_uses_of_one_link_at_once_one_succeeds(accounts: Accounts, outbox: Outbox) -> None:
    """The database decides the race."""
    ada = await accounts.create()
    await outbox.deliver()
    await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    answers = await asyncio.gather(
        *(post(ada.client, RESET, token=token, new_password=f"{NEW_PASSWORD} {n}") for n in range(10))
    )
    assert Counter(answer.status_code for answer in answers) == {204: 1, 400: 9}


async def test_nobody_learns_whether_an_address_has_an_account(accounts: Accounts, outbox: Outbox) -> None:
    """The same answer and the same one job; only an account gets a mail."""
    ada = await accounts.create()
    await accounts.change(ada.id, is_active=False)
    await outbox.deliver()
    known = await post(ada.client, FORGOT, email=ada.email)
    unknown = await post(ada.client, FORGOT, email="nobody@example.com")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert await outbox.deliver() == []


@pytest.mark.parametrize("path", [VERIFY, RESET])
async def test_links_expire(accounts: Accounts, outbox: Outbox, database: Database, path: str) -> None:
    """And change nothing then."""
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
