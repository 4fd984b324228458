"""Accounts in version 2."""

from tests.factories import Accounts, problem


async def test_version_2_shows_the_same_account_in_another_shape(accounts: Accounts) -> None:
    """Every field of version 1 is there, under its new name."""
    ada = await accounts.create()
    await ada.request("PATCH", "/api/v1/users/me", json={"full_name": "Ada"})
    first = (await ada.request("GET", "/api/v1/users/me")).json()
    assert (await ada.request("GET", "/api/v2/users/me")).json() == {
        "id": first["id"],
        "profile": {"email": first["email"], "name": "Ada"},
        "state": "active",
        "is_verified": False,
        "role": "user",
        "joined_at": first["created_at"],
    }


async def test_administrators_read_and_list_disabled_accounts(accounts: Accounts) -> None:
    """The state of each account is shown."""
    root, ada = await accounts.create(admin=True), await accounts.create()
    await accounts.change(ada.id, is_active=False)
    assert (await root.request("GET", f"/api/v2/users/{ada.id}")).json()["state"] == "disabled"
    listed = (await root.request("GET", "/api/v2/users")).json()["items"]
    assert [user["state"] for user in listed] == ["active", "disabled"]


async def test_the_same_rules_hold_as_in_version_1(accounts: Accounts) -> None:
    """Accounts of other users are 404, and the list is for administrators."""
    ada, bob = await accounts.create(), await accounts.create()
    assert problem(await bob.request("GET", f"/api/v2/users/{ada.id}")) == (404, "not_found")
    assert problem(await bob.request("GET", "/api/v2/users")) == (403, "forbidden")
