"""Tokens over HTTP."""

import base64

import httpx2
import pytest

from tests.factories import PASSWORD, Accounts, problem

TOKEN = "/api/v1/auth/token"


async def test_the_right_password_gets_a_bearer_token(accounts: Accounts) -> None:
    """Case in the e-mail address does not matter."""
    ada = await accounts.create(email="ada@example.com")
    form = {"grant_type": "password", "username": " ADA@example.com".strip(), "password": PASSWORD}
    response = await ada.client.post(TOKEN, data=form)
    assert response.status_code == 200
    body = response.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 900
    assert response.headers["cache-control"] == "no-store"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await ada.client.get("/api/v1/users/me", headers=headers)).json()["id"] == str(ada.id)


async def test_what_swagger_ui_sends_is_understood(accounts: Accounts) -> None:
    """Its Authorize button adds empty client fields, and sends the client in a Basic header."""
    ada = await accounts.create()
    form = {"grant_type": "password", "username": ada.email, "password": PASSWORD, "scope": "", "client_id": ""}
    basic = {"Authorization": "Basic " + base64.b64encode(b":").decode(), "X-Requested-With": "XMLHttpRequest"}
    assert (await ada.client.post(TOKEN, data=form, headers=basic)).status_code == 200


@pytest.mark.parametrize(
    "change", [{"username": "nobody@example.com"}, {"password": "wrong password"}, {"username": "not an address"}]
)
async def test_unknown_account_and_wrong_password_are_the_same_answer(
    accounts: Accounts, change: dict[str, str]
) -> None:
    """The response does not reveal which addresses have accounts."""
    ada = await accounts.create()
    form = {"grant_type": "password", "username": ada.email, "password": PASSWORD} | change
    response = await ada.client.post(TOKEN, data=form)
    assert problem(response) == (400, "invalid_grant")
    assert response.json()["error"] == "invalid_grant"
    assert response.json()["detail"] == "The e-mail address, the password or the refresh token is wrong."


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "a@example.com"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
async def test_an_invalid_token_request_gets_the_error_of_rfc_6749(
    client: httpx2.AsyncClient, form: dict[str, str], error: str
) -> None:
    """The problem document also has the `error` member."""
    response = await client.post(TOKEN, data=form)
    assert problem(response) == (400, error)
    assert response.json()["error"] == error


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer a.b.c", "Bearer \x00"]
)
async def test_no_token_is_a_401_with_a_challenge(client: httpx2.AsyncClient, header: str | None) -> None:
    """As defined by RFC 6750, section 3."""
    headers = {} if header is None else {"Authorization": header}
    response = await client.get("/api/v1/users/me", headers=headers)
    assert problem(response) == (401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_the_token_of_a_deleted_account_is_void(accounts: Accounts) -> None:
    """It is refused immediately, not only when it expires."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    await root.request("DELETE", f"/api/v1/users/{ada.id}")
    assert problem(await ada.request("GET", "/api/v1/notes")) == (401, "unauthenticated")
