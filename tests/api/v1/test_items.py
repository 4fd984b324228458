"""Items over HTTP, with the service that ships and with one on plain SQLAlchemy."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app.api.v1.items import get_items
from app.dependencies import CurrentUser, Db
from app.models.item import Item
from app.services.item_service import ORDER
from tests.factories import Account, Accounts, problem
from tests.plain_service import PlainService
from tests.subjects import Subject

ITEMS = "/api/v1/items"
BODY: dict[str, Any] = {"title": "milk", "description": "2 l"}
CHANGE: dict[str, Any] = {"title": "oat milk"}
OPTIONAL = "description"
SORT_COLUMNS = ["created_at", "title"]


async def create_item(account: Account, **fields: object) -> tuple[object, ...]:
    """Create an item; return its id."""
    response = await account.request("POST", ITEMS, json={**BODY, **fields})
    assert response.status_code == 201
    return (response.json()["id"],)


SUBJECT = Subject(("item_id",), create_item, {"create_item": BODY, "update_item": CHANGE})


async def get_plain_items(db: Db, user: CurrentUser) -> PlainService:
    """Return the plain service, which replaces `get_items`."""
    return PlainService(db, user.user_id, Item, ORDER)


@pytest.fixture(params=["traced", "plain"], autouse=True)
def both_services(request: pytest.FixtureRequest, app: FastAPI) -> Iterator[None]:
    """Run a test with the real service and with one that uses plain SQLAlchemy only."""
    if request.param == "plain":
        app.dependency_overrides[get_items] = get_plain_items
    yield
    app.dependency_overrides.clear()


async def test_an_item_can_be_created_read_changed_and_deleted(accounts: Accounts) -> None:
    """The whole life of an item."""
    ada = await accounts.create()
    created = await ada.request("POST", ITEMS, json=BODY)
    assert (created.status_code, created.json()) == (201, {**created.json(), **BODY, "owner_id": str(ada.id)})
    path = created.headers["location"]
    assert path == f"{ITEMS}/{created.json()['id']}"

    changed = await ada.request("PATCH", path, json=CHANGE)
    times = {"updated_at": changed.json()["updated_at"]}
    assert (changed.status_code, changed.json()) == (200, {**created.json(), **CHANGE, **times})
    assert (await ada.request("GET", path)).json() == changed.json()

    assert (await ada.request("DELETE", path)).status_code == 204
    assert problem(await ada.request("GET", path)) == (404, "not_found")


async def test_an_optional_value_can_be_removed(accounts: Accounts) -> None:
    """Null removes it; without the field it stays."""
    ada = await accounts.create()
    path = f"{ITEMS}/{(await create_item(ada))[0]}"
    assert (await ada.request("PATCH", path, json={})).json()[OPTIONAL] == BODY[OPTIONAL]
    assert (await ada.request("PATCH", path, json={OPTIONAL: None})).json()[OPTIONAL] is None


@pytest.mark.parametrize("sort", [f"{sign}{column}" for column in SORT_COLUMNS for sign in ("", "-")])
async def test_pages_in_either_direction_hold_every_item_once(accounts: Accounts, sort: str) -> None:
    """The pages together equal one long page."""
    ada, bob = await accounts.create(), await accounts.create()
    await create_item(bob)
    for _ in range(4):
        await create_item(ada)
    whole = (await ada.request("GET", ITEMS, params={"sort": sort})).json()["items"]
    first = (await ada.request("GET", ITEMS, params={"sort": sort, "limit": "2"})).json()
    rest = (await ada.request("GET", ITEMS, params={"sort": sort, "cursor": first["next_cursor"]})).json()
    assert first["items"] + rest["items"] == whole
    assert len(whole) == 4
    keys = [(item[sort.lstrip("-")], item["id"]) for item in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_items_are_found_by_their_title(accounts: Accounts) -> None:
    """Case does not matter, and a percent sign matches only itself."""
    ada = await accounts.create()
    for title in ("Oat Milk", "100% wool"):
        await create_item(ada, title=title)
    for search, expected in (("milk", ["Oat Milk"]), ("%", ["100% wool"]), ("o", ["100% wool", "Oat Milk"])):
        found = (await ada.request("GET", ITEMS, params={"title": search, "sort": "title"})).json()["items"]
        assert [item["title"] for item in found] == expected


async def test_items_are_found_by_their_time(accounts: Accounts) -> None:
    """Those that were created after or before another one."""
    ada = await accounts.create()
    for _ in range(2):
        await create_item(ada)
    second, first = (await ada.request("GET", ITEMS)).json()["items"]
    for params, expected in (
        ({"created_after": first["created_at"]}, [second]),
        ({"created_before": second["created_at"]}, [first]),
    ):
        assert (await ada.request("GET", ITEMS, params=params)).json()["items"] == expected


async def test_only_the_expected_version_is_changed(accounts: Accounts) -> None:
    """Each change gives a new entity tag."""
    ada = await accounts.create()
    created = await ada.request("POST", ITEMS, json=BODY)
    path, tag = created.headers["location"], created.headers["etag"]
    assert (await ada.request("GET", path, headers={"If-None-Match": tag})).status_code == 304
    changed = await ada.request("PATCH", path, json=CHANGE, headers={"If-Match": tag})
    assert changed.headers["etag"] != tag
    for method, options in (("PATCH", {"json": CHANGE}), ("DELETE", {})):
        refused = await ada.request(method, path, headers={"If-Match": tag}, **options)
        assert problem(refused) == (412, "precondition_failed")


async def test_a_repeated_request_creates_one_item(accounts: Accounts) -> None:
    """The idempotency key identifies the request."""
    ada = await accounts.create()
    key = {"Idempotency-Key": "key-1"}
    first, second = [await ada.request("POST", ITEMS, json=BODY, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert len((await ada.request("GET", ITEMS)).json()["items"]) == 1
