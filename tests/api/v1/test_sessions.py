"""Sessions and refresh tokens over HTTP."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

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

TOKEN, REVOKE, SESSIONS = "/api/v1/auth/token", "/api/v1/auth/revoke", "/api/v1/auth/sessions"
ROUNDS, AT_ONCE = 200, 20


async def refresh(client: httpx2.AsyncClient, token: str) -> httpx2.Response:
    """Exchange a refresh token."""
    return await client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": token})


async def is_logged_in(account: Account, token: str | None = None) -> bool:
    """Whether an access token is good."""
    headers = {"Authorization": f"Bearer {token or account.token}"}
    response = await account.client.get("/api/v1/users/me", headers=headers)
    assert response.status_code in (200, 401)
    return response.status_code == 200


async def age_tokens(database: Database, seconds: int) -> None:
    """Let time pass for every used token."""
    async with database.unit_of_work() as session:
        await session.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - timedelta(seconds=seconds)))


async def test_a_refresh_token_is_exchanged_for_its_successor(accounts: Accounts) -> None:
    """The session goes on under the same id."""
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
    """Two hundred rounds of twenty at once: a second tab or a lost answer logs nobody out."""
    ada = await accounts.create()
    token = ada.refresh_token
    for _ in range(ROUNDS):
        answers = await asyncio.gather(*(refresh(ada.client, token) for _ in range(AT_ONCE)))
        assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}
        [token] = {answer.json()["refresh_token"] for answer in answers}
    session = ReadOnly(database)
    assert await session.scalar(select(func.count()).select_from(RefreshToken)) == ROUNDS + 1


async def test_a_replay_ends_the_session_and_that_outlives_the_refusal(accounts: Accounts, database: Database) -> None:
    """The thief's and the owner's tokens die together; a new connection sees it."""
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
    """Both lock the session before its tokens, so that a refresh waits for a revocation that has begun."""
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
    """However old the token is."""
    ada = await accounts.create()
    token = ada.refresh_token
    for _ in range(3):
        token = (await refresh(ada.client, token)).json()["refresh_token"]
    await age_tokens(database, 3600)
    await refresh(ada.client, ada.refresh_token)
    assert problem(await refresh(ada.client, token)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "change",
    [{"expires_at": datetime.now(UTC)}, {"last_used_at": datetime.now(UTC) - timedelta(days=15)}],
    ids=["absolute", "idle"],
)
async def test_sessions_end(accounts: Accounts, database: Database, change: dict[str, datetime]) -> None:
    """After their time, or when nobody refreshes them."""
    ada = await accounts.create()
    async with database.unit_of_work() as session:
        await session.execute(update(UserSession).values(**change))
    assert problem(await refresh(ada.client, ada.refresh_token)) == (400, "invalid_grant")


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("padding", ["", "="])
async def test_logging_out_voids_both_tokens_whichever_is_shown(accounts: Accounts, kind: str, padding: str) -> None:
    """By the session, so that another spelling of the token neither escapes nor fails."""
    ada = await accounts.create()
    shown = ada.token if kind == "access" else ada.refresh_token
    response = await ada.client.post(REVOKE, data={"token": shown + padding, "token_type_hint": "refresh_token"})
    assert response.status_code == 200
    if padding:
        assert await is_logged_in(ada)
        await ada.client.post(REVOKE, data={"token": shown})
    assert not await is_logged_in(ada)
    assert problem(await refresh(ada.client, ada.refresh_token)) == (400, "invalid_grant")


async def test_revoking_an_unknown_token_is_no_error(client: httpx2.AsyncClient) -> None:
    """RFC 7009, section 2.2."""
    for token in ("x", "a.b.c", "é", "x" * 8000):
        assert (await client.post(REVOKE, data={"token": token})).status_code == 200


async def test_people_see_and_end_their_sessions(accounts: Accounts) -> None:
    """And nobody else's."""
    ada, bob = await accounts.create(), await accounts.create()
    phone = await accounts.log_in(ada.email)
    listed = (await ada.request("GET", SESSIONS)).json()["items"]
    assert [session["is_current"] for session in listed] == [False, True]
    assert listed[0].keys() == {
        "id",
        "created_at",
        "last_used_at",
        "expires_at",
        "user_agent",
        "ip_address",
        "is_current",
    }
    assert listed[0]["ip_address"] == "127.0.0.1"
    assert listed[0]["user_agent"].startswith("python-httpx2")
    for stranger, session_id in ((bob, listed[0]["id"]), (ada, uuid4())):
        assert problem(await stranger.request("DELETE", f"{SESSIONS}/{session_id}")) == (404, "not_found")
    assert (await ada.request("DELETE", f"{SESSIONS}/{listed[0]['id']}")).status_code == 204
    assert (await is_logged_in(phone), await is_logged_in(ada)) == (False, True)


async def test_all_other_sessions_end_at_once(accounts: Accounts) -> None:
    """This one stays."""
    ada = await accounts.create()
    others = [await accounts.log_in(ada.email) for _ in range(3)]
    assert (await ada.request("DELETE", SESSIONS)).status_code == 204
    assert [await is_logged_in(other) for other in others] == [False] * 3
    assert await is_logged_in(ada)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "admin"}, None], ids=["disabled", "role", "deleted"])
async def test_what_administrators_do_ends_sessions(accounts: Accounts, change: dict[str, object] | None) -> None:
    """Disabling, changing the role and deleting, at once."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    path = f"/api/v1/users/{ada.id}"
    response = await (root.request("PATCH", path, json=change) if change else root.request("DELETE", path))
    assert response.is_success
    assert not await is_logged_in(ada)
    assert problem(await refresh(ada.client, ada.refresh_token)) == (400, "invalid_grant")


async def test_no_kind_of_token_passes_for_another(accounts: Accounts, database: Database) -> None:
    """Access, refresh and each one-time token are refused wherever another kind is asked for."""
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
    """RFC 6749, section 5.2."""
    assert problem(await client.post(TOKEN, data={"grant_type": "refresh_token"})) == (400, "invalid_request")
