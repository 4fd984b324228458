"""Accounts over HTTP."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx2
import pytest

from tests.factories import PASSWORD, Account, Accounts, problem
from tests.subjects import Subject

REGISTRATION = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada Lovelace"}


async def own_id(account: Account) -> tuple[object, ...]:
    """Return the id of the account, for the sweeps."""
    return (account.id,)


SUBJECT = Subject(("user_id",), own_id, visible_to_administrators=True)


async def test_registering_shows_the_account_and_never_the_password(client: httpx2.AsyncClient) -> None:
    """The response has the fields of the contract and no others."""
    response = await client.post("/api/v1/users", json=REGISTRATION)
    assert response.status_code == 201
    body = response.json()
    assert response.headers["location"] == f"/api/v1/users/{body['id']}"
    assert body | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "role": "user",
        "is_active": True,
        "is_verified": False,
        "created_at": "",
        "updated_at": "",
    }
    assert PASSWORD not in response.text


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.com"])
async def test_an_address_has_one_account_however_it_is_written(client: httpx2.AsyncClient, email: str) -> None:
    """Case does not matter."""
    await client.post("/api/v1/users", json=REGISTRATION)
    again = await client.post("/api/v1/users", json=REGISTRATION | {"email": email})
    assert problem(again) == (409, "email_taken")


async def test_concurrent_registrations_of_one_address_create_one_account(client: httpx2.AsyncClient) -> None:
    """The database decides which request succeeds."""
    answers = await asyncio.gather(*(client.post("/api/v1/users", json=REGISTRATION) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert {problem(answer)[1] for answer in answers if answer.status_code == 409} == {"email_taken"}


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"email": "not an address"}, ["body", "email"]),
        ({"email": "a" * 250 + "@b.co"}, ["body", "email"]),
        ({"password": "short"}, ["body", "password"]),
        ({"password": "x" * 129}, ["body", "password"]),
        ({"full_name": ""}, ["body", "full_name"]),
        ({"full_name": "nul \x00"}, ["body", "full_name"]),
        ({"role": "admin"}, ["body", "role"]),
        ({"is_active": False}, ["body", "is_active"]),
    ],
)
async def test_a_registration_that_is_not_valid_says_where(
    client: httpx2.AsyncClient, change: dict[str, object], location: list[str]
) -> None:
    """The error names the field, and does not repeat the value, which may be a password."""
    response = await client.post("/api/v1/users", json=REGISTRATION | change)
    assert problem(response) == (422, "validation_failed")
    assert [error["location"] for error in response.json()["errors"]] == [location]
    assert PASSWORD not in response.text
    assert all(set(error) == {"location", "message", "code"} for error in response.json()["errors"])


async def test_people_read_and_change_their_own_account(accounts: Accounts) -> None:
    """`me` is the caller."""
    ada = await accounts.create()
    assert (await ada.request("GET", "/api/v1/users/me")).json()["email"] == ada.email
    changed = await ada.request("PATCH", "/api/v1/users/me", json={"full_name": "Ada"})
    assert (changed.status_code, changed.json()["full_name"]) == (200, "Ada")
    cleared = await ada.request("PATCH", "/api/v1/users/me", json={"full_name": None})
    assert cleared.json()["full_name"] is None


@pytest.mark.parametrize("field", ["role", "is_active", "is_verified", "hashed_password", "id"])
async def test_users_cannot_change_their_own_role_or_state(accounts: Accounts, field: str) -> None:
    """Privileged fields are refused, not ignored."""
    ada = await accounts.create()
    response = await ada.request("PATCH", "/api/v1/users/me", json={field: "admin"})
    assert problem(response) == (422, "validation_failed")


async def test_an_account_is_seen_by_its_owner_and_by_administrators(accounts: Accounts) -> None:
    """Other users get 404."""
    ada, bob, root = await accounts.create(), await accounts.create(), await accounts.create(admin=True)
    path = f"/api/v1/users/{ada.id}"
    assert (await ada.request("GET", path)).json()["id"] == str(ada.id)
    assert (await root.request("GET", path)).json()["id"] == str(ada.id)
    assert problem(await bob.request("GET", path)) == (404, "not_found")
    assert problem(await root.request("GET", f"/api/v1/users/{uuid4()}")) == (404, "not_found")


async def test_administrators_page_through_all_accounts(accounts: Accounts) -> None:
    """Oldest first, in pages."""
    root = await accounts.create(admin=True)
    others = [await accounts.create() for _ in range(2)]
    first = (await root.request("GET", "/api/v1/users", params={"limit": "2"})).json()
    rest = (await root.request("GET", "/api/v1/users", params={"cursor": first["next_cursor"]})).json()
    ids = [user["id"] for user in first["items"] + rest["items"]]
    assert ids == [str(account.id) for account in (root, *others)]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/users"), ("PATCH", "/api/v1/users/{}"), ("DELETE", "/api/v1/users/{}")]
)
async def test_administration_is_for_administrators(accounts: Accounts, method: str, path: str) -> None:
    """Other users get 403, even for their own account."""
    ada = await accounts.create()
    body = {"json": {"role": "admin"}} if method == "PATCH" else {}
    assert problem(await ada.request(method, path.format(ada.id), **body)) == (403, "forbidden")


async def test_an_administrator_changes_and_deletes_accounts(accounts: Accounts) -> None:
    """Deleting an account deletes what it owns."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    await ada.create_note()
    path = f"/api/v1/users/{ada.id}"
    changed = await root.request("PATCH", path, json={"role": "admin"})
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    assert (await root.request("DELETE", path)).status_code == 204
    for refused in (await root.request("GET", path), await root.request("DELETE", path)):
        assert problem(refused) == (404, "not_found")
    assert problem(await root.request("PATCH", path, json={"is_active": True})) == (404, "not_found")


async def test_a_disabled_account_loses_access_immediately(accounts: Accounts) -> None:
    """Its token is refused, and it cannot log in."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    await root.request("PATCH", f"/api/v1/users/{ada.id}", json={"is_active": False})
    assert problem(await ada.request("GET", "/api/v1/users/me")) == (401, "unauthenticated")
    form = {"grant_type": "password", "username": ada.email, "password": PASSWORD}
    assert problem(await ada.client.post("/api/v1/auth/token", data=form)) == (400, "invalid_grant")


@pytest.mark.parametrize("change", [{"role": "user"}, {"is_active": False}, None])
async def test_the_last_administrator_stays(accounts: Accounts, change: dict[str, object] | None) -> None:
    """The only administrator cannot be demoted, disabled or deleted."""
    root = await accounts.create(admin=True)
    path = f"/api/v1/users/{root.id}"
    request = root.request("PATCH", path, json=change) if change else root.request("DELETE", path)
    assert problem(await request) == (409, "last_admin")
    assert (await root.request("GET", "/api/v1/users/me")).json()["role"] == "admin"


async def test_the_last_two_administrators_cannot_both_leave_concurrently(accounts: Accounts) -> None:
    """The check and the change are one transaction."""
    first, second = await accounts.create(admin=True), await accounts.create(admin=True)
    answers = await asyncio.gather(
        first.request("PATCH", f"/api/v1/users/{second.id}", json={"role": "user"}),
        second.request("PATCH", f"/api/v1/users/{first.id}", json={"role": "user"}),
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 403], [200, 401])
