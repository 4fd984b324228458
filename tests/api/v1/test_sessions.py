"""Sessions and refresh tokens over HTTP."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import delete, func, select, text, update

from app.db.database import Database
from app.models.one_time_token import Purpose
from app.models.refresh_token import RefreshToken
from app.models.session import UserSession
from app.services.one_time_tokens import issue_token
from tests.factories import PASSWORD, Account, Accounts, problem
from tests.queries import ReadOnly
from tests.subjects import Subject

TOKEN, REVOKE, SESSIONS = "/api/v1/auth/token", "/api/v1/auth/revoke", "/api/v1/auth/sessions"
ROUNDS, CONCURRENT = 200, 20


async def current_session(account: Account) -> tuple[object, ...]:
    """Return the id of a session of this account, for the sweeps."""
    return ((await account.request("GET", SESSIONS)).json()["items"][0]["id"],)


SUBJECT = Subject(("session_id",), current_session)


async def refresh(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    """Exchange a refresh token."""
    return await client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


async def is_logged_in(account: Account, token: str | None = None) -> bool:
    """Return whether an access token is accepted."""
    headers = {"Authorization": f"Bearer {token or account.token}"}
    response = await account.client.get("/api/v1/users/me", headers=headers)
    assert response.status_code in (200, 401)
    return response.status_code == 200


async def age_tokens(database: Database, seconds: int) -> None:
    """Let the grace period of every used token pass."""
    async with database.unit_of_work() as session:
        await session.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - timedelta(seconds=seconds)))


async def test_a_refresh_token_is_exchanged_for_its_successor(accounts: Accounts) -> None:
    """The session keeps its id."""
    ada = await accounts.create()
    first = await refresh(ada.client, ada.refresh_token)
    assert first.status_code == 200
    assert first.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert first.json()["refresh_token"] != ada.refresh_token
    assert await is_logged_in(ada, first.json()["access_token"])
    assert (await refresh(ada.client, first.json()["refresh_token"])).status_code == 200
    assert len((await ada.request("GET", SESSIONS)).json()["items"]) == 1


@pytest.mark.soak
async def test_of_many_refreshes_of_one_token_all_get_the_one_successor(accounts: Accounts, database: Database) -> None:
    """200 rounds of 20 concurrent requests: a second tab or a lost response logs no user out."""
    ada = await accounts.create()
    token = ada.refresh_token
    for _ in range(ROUNDS):
        answers = await asyncio.gather(*(refresh(ada.client, token) for _ in range(CONCURRENT)))
        assert Counter(answer.status_code for answer in answers) == {200: CONCURRENT}
        [token] = {answer.json()["refresh_token"] for answer in answers}
    session = ReadOnly(database)
    assert await session.scalar(select(func.count()).select_from(RefreshToken)) == ROUNDS + 1


async def test_a_replay_ends_the_session_and_that_outlives_the_refusal(accounts: Accounts, database: Database) -> None:
    """The tokens of the attacker and of the owner are revoked; other connections see it."""
    ada = await accounts.create()
    child = (await refresh(ada.client, ada.refresh_token)).json()
    await age_tokens(database, 11)
    refused = await refresh(ada.client, ada.refresh_token)
    assert problem(refused) == (400, "invalid_grant")
    assert refused.json()["error"] == "invalid_grant"
    session = ReadOnly(database)
    assert await session.scalar(select(func.count()).select_from(UserSession)) == 0
    assert problem(await refresh(ada.client, child["refresh_token"])) == (400, "invalid_grant")
    assert not await is_logged_in(ada, child["access_token"])


async def test_a_refresh_and_a_revocation_do_not_deadlock(accounts: Accounts, database: Database) -> None:
    """Both lock the session before its tokens, so that a refresh waits for a running revocation."""
    ada = await accounts.create()
    async with database.unit_of_work() as session:
        revoked = await session.scalar(select(UserSession.id).with_for_update())
        waiting = asyncio.create_task(refresh(ada.client, ada.refresh_token))
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await session.execute(text("SET LOCAL lock_timeout = '500ms'"))
        await session.execute(delete(UserSession).where(UserSession.id == revoked))
    assert problem(await waiting) == (400, "invalid_grant")


async def test_a_replay_of_a_grandparent_ends_the_session_too(accounts: Accounts, database: Database) -> None:
    """The age of the token does not matter."""
    ada = await accounts.create()
    token = ada.refresh_token
    for _ in range(3):
        token = (await refresh(ada.client, token)).json()["refresh_token"]
    await age_tokens(database, 3600)
    await refresh(ada.client, ada.refresh_token)
    assert problem(await refresh(ada.client, token)) == (400, "invalid_grant")


async def test_no_kind_of_token_passes_for_another(accounts: Accounts, database: Database) -> None:
    """Access, refresh and one-time tokens are refused by operations that expect another kind."""
    ada = await accounts.create()
    hour = timedelta(hours=1)
    async with database.unit_of_work() as session:
        once = {purpose: (await issue_token(session, ada.id, purpose, ada.email, hour))[1] for purpose in Purpose}
    for token in (ada.refresh_token, *once.values()):
        assert not await is_logged_in(ada, token)
    for token in (ada.token, *once.values()):
        assert problem(await refresh(ada.client, token)) == (400, "invalid_grant")
    for token in (ada.refresh_token, once[Purpose.RESET_PASSWORD]):
        verify = await ada.client.post("/api/v1/auth/verify-email", json={"token": token})
        assert problem(verify) == (400, "token_invalid")
    for token in (ada.refresh_token, once[Purpose.VERIFY_EMAIL], once[Purpose.CHANGE_EMAIL]):
        reset = {"token": token, "new_password": PASSWORD + "!"}
        assert problem(await ada.client.post("/api/v1/auth/password/reset", json=reset)) == (400, "token_invalid")


async def test_a_refresh_token_is_needed(client: httpx2.AsyncClient) -> None:
    """As defined by RFC 6749, section 5.2."""
    assert problem(await client.post(TOKEN, data={"grant_type": "refresh_token"})) == (400, "invalid_request")
