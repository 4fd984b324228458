"""The security log: its events, and that it contains no secret."""

import logging
from typing import Any

import httpx2
import pytest

from tests.factories import PASSWORD, Account, Accounts
from tests.mails import Outbox

NEW_PASSWORD = "another horse battery staple"


def events(logs: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the security events so far."""
    return [r.msg for r in logs.records if r.name == "app.security" and isinstance(r.msg, dict)]


async def live(ada: Account, root: Account, accounts: Accounts) -> httpx2.Response:
    """Cause every logged event, from a failed login, whose response is returned, to an invalid link."""
    form = {"grant_type": "password", "username": ada.email, "password": "wrong password"}
    refused = await ada.client.post("/api/v1/auth/token", data=form)
    await accounts.log_in(ada.email)
    await ada.request("GET", "/api/v1/users")
    data = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    await ada.request("PUT", "/api/v1/users/me/password", json=data)
    await ada.client.post("/api/v1/auth/revoke", data={"token": ada.token})
    await root.request("PATCH", f"/api/v1/users/{ada.id}", json={"role": "admin"})
    await root.request("GET", f"/api/v1/users/{ada.id}")
    await root.request("DELETE", f"/api/v1/users/{ada.id}")
    await ada.client.post("/api/v1/auth/verify-email", json={"token": "no such token"})
    return refused


async def test_what_happens_to_an_account_is_logged_with_the_request(
    accounts: Accounts, logs: pytest.LogCaptureFixture
) -> None:
    """Each event has a name, the account and the request id."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    logs.clear()
    refused = await live(ada, root, accounts)
    seen = events(logs)
    assert [event["event"] for event in seen] == [
        "login_failed",
        "login_succeeded",
        "access_denied",
        "sessions_revoked",
        "password_changed",
        "session_revoked",
        "sessions_revoked",
        "account_changed",
        "accounts_read",
        "account_deleted",
        "link_refused",
    ]
    assert [event["account_id"] for event in seen] == [str(ada.id)] * 8 + [str(root.id), str(ada.id), None]
    assert seen[0]["request_id"] == refused.headers["x-request-id"]
    assert seen[7]["role"] == "admin"


async def test_no_secret_is_ever_logged(accounts: Accounts, outbox: Outbox, logs: pytest.LogCaptureFixture) -> None:
    """No password and no token, at any log level."""
    logs.set_level(logging.DEBUG)
    ada = await accounts.create()
    link = await outbox.token_to(ada.email)
    refresh = {"grant_type": "refresh_token", "refresh_token": ada.refresh_token}
    successor = (await ada.client.post("/api/v1/auth/token", data=refresh)).json()
    await ada.client.post("/api/v1/auth/verify-email", json={"token": link})
    await ada.client.post("/api/v1/auth/verify-email", json={"token": link})
    await ada.client.post("/api/v1/auth/password/forgot", json={"email": ada.email})
    reset = await outbox.token_to(ada.email)
    data = {"token": reset, "new_password": NEW_PASSWORD}
    await ada.client.post("/api/v1/auth/password/reset", json=data | {"unknown": PASSWORD})
    await ada.client.post("/api/v1/auth/password/reset", json=data)
    await ada.client.post("/api/v1/auth/revoke", data={"token": ada.refresh_token})
    await ada.client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {ada.token}"})
    logged = "\n".join(f"{record.msg} {record.args} {record.exc_text}" for record in logs.records)
    secrets = (PASSWORD, NEW_PASSWORD, ada.token, ada.refresh_token, link, reset, *successor.values())
    assert [secret for secret in secrets if isinstance(secret, str) and len(secret) > 10 and secret in logged] == []
    assert "request" in logged
