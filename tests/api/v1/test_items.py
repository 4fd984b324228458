"""Items over HTTP."""

import random
from uuid import uuid4

import httpx2
import pytest

from tests.factories import Accounts, problem

pytestmark = pytest.mark.usefixtures("both_services")


async def test_an_item_can_be_created_read_changed_and_deleted(accounts: Accounts) -> None:
    """The whole life of an item."""
    ada = await accounts.create()
    created = await ada.request("POST", "/api/v1/items", json={"title": "milk", "description": "2 l"})
    assert created.status_code == 201
    path = created.headers["location"]
    assert path == f"/api/v1/items/{created.json()['id']}"
    assert created.json()["owner_id"] == str(ada.id)

    changed = await ada.request("PATCH", path, json={"title": "oat milk"})
    assert (changed.status_code, changed.json()["title"]) == (200, "oat milk")
    assert changed.json()["description"] == "2 l"
    assert changed.json()["updated_at"] > changed.json()["created_at"]
    assert (await ada.request("GET", path)).json() == changed.json()

    assert (await ada.request("DELETE", path)).status_code == 204
    assert problem(await ada.request("GET", path)) == (404, "not_found")


async def test_null_empties_the_description_and_absence_keeps_it(accounts: Accounts) -> None:
    """Absent, null and a value are three different things."""
    ada = await accounts.create()
    path = f"/api/v1/items/{(await ada.create_item(description='2 l'))['id']}"
    assert (await ada.request("PATCH", path, json={})).json()["description"] == "2 l"
    assert (await ada.request("PATCH", path, json={"description": None})).json()["description"] is None


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_another_owner_cannot_tell_it_exists(accounts: Accounts, method: str) -> None:
    """Somebody else's item and a missing one are the same answer."""
    ada, bob = await accounts.create(), await accounts.create()
    item = await ada.create_item()
    body = {"json": {"title": "mine now"}} if method == "PATCH" else {}

    theirs = await bob.request(method, f"/api/v1/items/{item['id']}", **body)
    missing = await bob.request(method, f"/api/v1/items/{uuid4()}", **body)

    assert problem(theirs) == problem(missing) == (404, "not_found")
    assert theirs.json()["detail"] == missing.json()["detail"]
    assert (await ada.request("GET", f"/api/v1/items/{item['id']}")).json() == item


async def test_a_list_holds_only_ones_own_items(accounts: Accounts) -> None:
    """Other people's items never appear."""
    ada, bob = await accounts.create(), await accounts.create()
    await ada.create_item("hers")
    await bob.create_item("his")
    listed = (await ada.request("GET", "/api/v1/items")).json()
    assert [item["title"] for item in listed["items"]] == ["hers"]
    assert listed["next_cursor"] is None


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title"])
async def test_pages_in_either_direction_hold_every_item_once(accounts: Accounts, sort: str) -> None:
    """Following the cursors gives the same as one long page."""
    ada = await accounts.create()
    for title in ("b", "a", "c", "a", "b"):
        await ada.create_item(title)
    whole = (await ada.request("GET", "/api/v1/items", params={"sort": sort})).json()["items"]

    paged, cursor = [], None
    while True:
        params = {"sort": sort, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        response = await ada.request("GET", "/api/v1/items", params=params)
        page = response.json()
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            assert "link" not in response.headers
            break
        link = response.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
        assert (await ada.request("GET", link)).json()["items"][0] not in paged

    assert paged == whole
    keys = [item[sort.lstrip("-")] for item in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_link_to_the_next_page_replaces_the_cursor_however_it_is_spelt(accounts: Accounts) -> None:
    """Names of parameters may be percent-encoded."""
    ada = await accounts.create()
    for title in ("a", "b", "c"):
        await ada.create_item(title)
    cursor = (await ada.request("GET", "/api/v1/items?limit=1")).json()["next_cursor"]
    response = await ada.request("GET", f"/api/v1/items?c%75rsor={cursor}&limit=1")
    assert cursor not in response.headers["link"]
    assert response.headers["link"].count("cursor") == 1


async def test_a_filter_finds_titles_that_contain_the_text(accounts: Accounts) -> None:
    """Case does not matter, and a percent sign is only a percent sign."""
    ada = await accounts.create()
    for title in ("Oat Milk", "100% wool", "bread"):
        await ada.create_item(title)
    for text, expected in (("milk", ["Oat Milk"]), ("%", ["100% wool"]), ("zzz", [])):
        found = (await ada.request("GET", "/api/v1/items", params={"title": text})).json()["items"]
        assert [item["title"] for item in found] == expected


async def test_a_filter_finds_items_by_their_time(accounts: Accounts) -> None:
    """After and before, both exclusive."""
    ada = await accounts.create()
    first, second = await ada.create_item("first"), await ada.create_item("second")
    for params, expected in (
        ({"created_after": first["created_at"]}, [second]),
        ({"created_before": second["created_at"]}, [first]),
        ({"created_after": second["created_at"]}, []),
    ):
        assert (await ada.request("GET", "/api/v1/items", params=params)).json()["items"] == expected


@pytest.mark.parametrize("time", ["0.5", "1700000000", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z"])
async def test_a_time_is_written_as_rfc_3339_does(accounts: Accounts, time: str) -> None:
    """With its offset; nothing else is taken for one."""
    ada = await accounts.create()
    response = await ada.request("GET", "/api/v1/items", params={"created_after": time})
    assert problem(response) == (422, "validation_failed")


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title"])
async def test_pages_neither_skip_nor_repeat_while_others_write(accounts: Accounts, sort: str) -> None:
    """What is there from beginning to end is read once; what is deleted or added meanwhile, once at most."""
    ada, chance = await accounts.create(), random.Random(sort)  # noqa: S311  no secret
    lasting = {(await ada.create_item(chance.choice("abc")))["id"] for _ in range(30)}
    doomed = [(await ada.create_item(chance.choice("abc")))["id"] for _ in range(20)]
    seen: list[str] = []
    path: str | None = f"/api/v1/items?limit=4&sort={sort}"
    while path:
        response = await ada.request("GET", path)
        seen += [item["id"] for item in response.json()["items"]]
        link = response.headers.get("link")
        path = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
        if doomed:
            await ada.request("DELETE", f"/api/v1/items/{doomed.pop(chance.randrange(len(doomed)))}")
        if len(seen) < 60:
            await ada.create_item(chance.choice("abc"))
    assert len(seen) == len(set(seen))
    assert lasting <= set(seen)


async def test_a_cursor_belongs_to_one_list(accounts: Accounts) -> None:
    """With another owner, order or filter, or with a letter changed, it is refused."""
    ada, bob = await accounts.create(), await accounts.create()
    for title in ("a", "b"):
        await ada.create_item(title)
        await bob.create_item(title)
    cursor = (await ada.request("GET", "/api/v1/items", params={"limit": "1"})).json()["next_cursor"]
    swapped = ("A" if cursor[0] != "A" else "B") + cursor[1:]

    refused = [
        await bob.request("GET", "/api/v1/items", params={"cursor": cursor}),
        await ada.request("GET", "/api/v1/items", params={"cursor": cursor, "sort": "title"}),
        await ada.request("GET", "/api/v1/items", params={"cursor": cursor, "title": "a"}),
        await ada.request("GET", "/api/v1/items", params={"cursor": swapped}),
        await ada.request("GET", "/api/v1/items", params={"cursor": cursor[:-3]}),
        await ada.request("GET", "/api/v1/items", params={"cursor": "AAAA"}),
        await ada.request("GET", "/api/v1/items", params={"cursor": "A"}),
    ]

    assert [problem(response) for response in refused] == [(422, "invalid_cursor")] * len(refused)


async def test_both_spellings_of_a_path_answer_alike(accounts: Accounts) -> None:
    """A trailing slash is no redirect."""
    ada = await accounts.create()
    await ada.create_item()
    plain, slashed = await ada.request("GET", "/api/v1/items"), await ada.request("GET", "/api/v1/items/")
    assert plain.status_code == slashed.status_code == 200
    assert plain.json() == slashed.json()


async def test_head_answers_as_get_without_a_body(accounts: Accounts) -> None:
    """Same status and length, no content."""
    ada = await accounts.create()
    got, head = await ada.request("GET", "/api/v1/items"), await ada.request("HEAD", "/api/v1/items")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_answers_to_the_authenticated_are_not_stored(accounts: Accounts) -> None:
    """Nobody's data ends up in a shared cache."""
    ada = await accounts.create()
    response: httpx2.Response = await ada.request("GET", "/api/v1/items")
    assert response.headers["cache-control"] == "no-store"
