"""How sessions end."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import update

from app.db.database import Database
from app.models.session import UserSession
from tests.api.v1.test_sessions import REVOKE, SESSIONS, is_logged_in, refresh
from tests.factories import Accounts, problem


@pytest.mark.parametrize(
    "change",
    [{"expires_at": datetime.now(UTC)}, {"last_used_at": datetime.now(UTC) - timedelta(days=15)}],
    ids=["absolute", "idle"],
)
async def test_sessions_end(accounts: Accounts, database: Database, change: dict[str, datetime]) -> None:
    """They end when they expire, and when they are not refreshed."""
    ada = await accounts.create()
    async with database.unit_of_work() as session:
        await session.execute(update(UserSession).values(**change))
    assert problem(await refresh(ada.client, ada.refresh_token)) == (400, "invalid_grant")


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("padding", ["", "="])
async def test_logging_out_voids_both_tokens_whichever_is_shown(accounts: Accounts, kind: str, padding: str) -> None:
    """The session is revoked, so that neither token works afterwards."""
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
    """As defined by RFC 7009, section 2.2."""
    for token in ("x", "a.b.c", "é", "x" * 8000):
        assert (await client.post(REVOKE, data={"token": token})).status_code == 200


async def test_people_see_and_end_their_sessions(accounts: Accounts) -> None:
    """They cannot see or end those of other users."""
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


async def test_revoking_all_other_sessions_is_one_operation(accounts: Accounts) -> None:
    """The current session stays live."""
    ada = await accounts.create()
    others = [await accounts.log_in(ada.email) for _ in range(3)]
    assert (await ada.request("DELETE", SESSIONS)).status_code == 204
    assert [await is_logged_in(other) for other in others] == [False] * 3
    assert await is_logged_in(ada)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "admin"}, None], ids=["disabled", "role", "deleted"])
async def test_what_administrators_do_ends_sessions(accounts: Accounts, change: dict[str, object] | None) -> None:
    """Disabling, changing the role and deleting end sessions immediately."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    path = f"/api/v1/users/{ada.id}"
    response = await (root.request("PATCH", path, json=change) if change else root.request("DELETE", path))
    assert response.is_success
    assert not await is_logged_in(ada)
    assert problem(await refresh(ada.client, ada.refresh_token)) == (400, "invalid_grant")
