"""Items over HTTP, with the service that ships and with one on plain SQLAlchemy."""

from collections.abc import Iterator

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


async def create_item(account: Account, title: str = "milk") -> tuple[object, ...]:
    """Create an item; return its id."""
    response = await account.request("POST", ITEMS, json={"title": title})
    assert response.status_code == 201
    return (response.json()["id"],)


SUBJECT = Subject(("item_id",), create_item, {"create_item": {"title": "x"}, "update_item": {"title": "x"}})


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
    created = await ada.request("POST", ITEMS, json={"title": "milk", "description": "2 l"})
    assert created.status_code == 201
    path = created.headers["location"]
    assert path == f"{ITEMS}/{created.json()['id']}"
    assert created.json()["owner_id"] == str(ada.id)

    changed = await ada.request("PATCH", path, json={"title": "oat milk"})
    assert (changed.status_code, changed.json()["title"], changed.json()["description"]) == (200, "oat milk", "2 l")
    assert (await ada.request("GET", path)).json() == changed.json()

    assert (await ada.request("DELETE", path)).status_code == 204
    assert problem(await ada.request("GET", path)) == (404, "not_found")


async def test_a_description_can_be_removed(accounts: Accounts) -> None:
    """Null removes it; without the field it stays."""
    ada = await accounts.create()
    created = await ada.request("POST", ITEMS, json={"title": "milk", "description": "2 l"})
    path = created.headers["location"]
    assert (await ada.request("PATCH", path, json={})).json()["description"] == "2 l"
    assert (await ada.request("PATCH", path, json={"description": None})).json()["description"] is None


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title"])
async def test_pages_in_either_direction_hold_every_item_once(accounts: Accounts, sort: str) -> None:
    """The pages together equal one long page."""
    ada, bob = await accounts.create(), await accounts.create()
    await create_item(bob)
    for title in ("b", "a", "c", "a"):
        await create_item(ada, title)
    whole = (await ada.request("GET", ITEMS, params={"sort": sort})).json()["items"]
    first = (await ada.request("GET", ITEMS, params={"sort": sort, "limit": "2"})).json()
    rest = (await ada.request("GET", ITEMS, params={"sort": sort, "cursor": first["next_cursor"]})).json()
    assert first["items"] + rest["items"] == whole
    assert len(whole) == 4
    keys = [item[sort.lstrip("-")] for item in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_filters_find_items_by_title_and_time(accounts: Accounts) -> None:
    """Case does not matter, and a percent sign matches only itself."""
    ada = await accounts.create()
    for title in ("Oat Milk", "100% wool"):
        await create_item(ada, title)
    wool, milk = (await ada.request("GET", ITEMS)).json()["items"]
    for params, expected in (
        ({"title": "milk"}, [milk]),
        ({"title": "%"}, [wool]),
        ({"created_after": milk["created_at"]}, [wool]),
        ({"created_before": wool["created_at"]}, [milk]),
    ):
        assert (await ada.request("GET", ITEMS, params=params)).json()["items"] == expected


async def test_only_the_expected_version_is_changed(accounts: Accounts) -> None:
    """Each change gives a new entity tag."""
    ada = await accounts.create()
    created = await ada.request("POST", ITEMS, json={"title": "milk"})
    path, tag = created.headers["location"], created.headers["etag"]
    assert (await ada.request("GET", path, headers={"If-None-Match": tag})).status_code == 304
    changed = await ada.request("PATCH", path, json={"title": "x"}, headers={"If-Match": tag})
    assert changed.headers["etag"] != tag
    for method, options in (("PATCH", {"json": {"title": "y"}}), ("DELETE", {})):
        refused = await ada.request(method, path, headers={"If-Match": tag}, **options)
        assert problem(refused) == (412, "precondition_failed")


async def test_a_repeated_request_creates_one_item(accounts: Accounts) -> None:
    """The idempotency key identifies the request."""
    ada = await accounts.create()
    key = {"Idempotency-Key": "key-1"}
    first, second = [await ada.request("POST", ITEMS, json={"title": "milk"}, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert len((await ada.request("GET", ITEMS)).json()["items"]) == 1
