"""Lists of notes over HTTP."""

import random

import pytest

from tests.factories import Accounts, problem

pytestmark = pytest.mark.usefixtures("both_services")


async def test_a_list_holds_only_ones_own_notes(accounts: Accounts) -> None:
    """It never contains notes of other users."""
    ada, bob = await accounts.create(), await accounts.create()
    await ada.create_note("hers")
    await bob.create_note("his")
    listed = (await ada.request("GET", "/api/v1/notes")).json()
    assert [note["title"] for note in listed["items"]] == ["hers"]
    assert listed["next_cursor"] is None


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title"])
async def test_pages_in_either_direction_hold_every_note_once(accounts: Accounts, sort: str) -> None:
    """The pages together equal one long page."""
    ada = await accounts.create()
    for title in ("b", "a", "c", "a", "b"):
        await ada.create_note(title)
    whole = (await ada.request("GET", "/api/v1/notes", params={"sort": sort})).json()["items"]

    paged, cursor = [], None
    while True:
        params = {"sort": sort, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        response = await ada.request("GET", "/api/v1/notes", params=params)
        page = response.json()
        paged += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            assert "link" not in response.headers
            break
        link = response.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
        assert (await ada.request("GET", link)).json()["items"][0] not in paged

    assert paged == whole
    keys = [note[sort.lstrip("-")] for note in whole]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_link_to_the_next_page_replaces_the_cursor_however_it_is_spelt(accounts: Accounts) -> None:
    """Parameter names may be percent-encoded."""
    ada = await accounts.create()
    for title in ("a", "b", "c"):
        await ada.create_note(title)
    cursor = (await ada.request("GET", "/api/v1/notes?limit=1")).json()["next_cursor"]
    response = await ada.request("GET", f"/api/v1/notes?c%75rsor={cursor}&limit=1")
    assert cursor not in response.headers["link"]
    assert response.headers["link"].count("cursor") == 1


async def test_a_filter_finds_titles_that_contain_the_text(accounts: Accounts) -> None:
    """Case does not matter, and a percent sign matches only itself."""
    ada = await accounts.create()
    for title in ("Oat Milk", "100% wool", "bread"):
        await ada.create_note(title)
    for text, expected in (("milk", ["Oat Milk"]), ("%", ["100% wool"]), ("zzz", [])):
        found = (await ada.request("GET", "/api/v1/notes", params={"title": text})).json()["items"]
        assert [note["title"] for note in found] == expected


async def test_a_filter_finds_notes_by_their_time(accounts: Accounts) -> None:
    """Both bounds are exclusive."""
    ada = await accounts.create()
    first, second = await ada.create_note("first"), await ada.create_note("second")
    for params, expected in (
        ({"created_after": first["created_at"]}, [second]),
        ({"created_before": second["created_at"]}, [first]),
        ({"created_after": second["created_at"]}, []),
    ):
        assert (await ada.request("GET", "/api/v1/notes", params=params)).json()["items"] == expected


@pytest.mark.parametrize("time", ["0.5", "1700000000", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z"])
async def test_a_time_is_written_as_rfc_3339_does(accounts: Accounts, time: str) -> None:
    """It needs an offset; other formats are refused."""
    ada = await accounts.create()
    response = await ada.request("GET", "/api/v1/notes", params={"created_after": time})
    assert problem(response) == (422, "validation_failed")


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title"])
async def test_pages_neither_skip_nor_repeat_while_others_write(accounts: Accounts, sort: str) -> None:
    """Notes that exist all the time are read once; those that are added or deleted, at most once."""
    ada, chance = await accounts.create(), random.Random(sort)  # noqa: S311  no secret
    lasting = {(await ada.create_note(chance.choice("abc")))["id"] for _ in range(30)}
    doomed = [(await ada.create_note(chance.choice("abc")))["id"] for _ in range(20)]
    seen: list[str] = []
    path: str | None = f"/api/v1/notes?limit=4&sort={sort}"
    while path:
        response = await ada.request("GET", path)
        seen += [note["id"] for note in response.json()["items"]]
        link = response.headers.get("link")
        path = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
        if doomed:
            await ada.request("DELETE", f"/api/v1/notes/{doomed.pop(chance.randrange(len(doomed)))}")
        if len(seen) < 60:
            await ada.create_note(chance.choice("abc"))
    assert len(seen) == len(set(seen))
    assert lasting <= set(seen)


async def test_a_cursor_belongs_to_one_list(accounts: Accounts) -> None:
    """It is refused with another owner, order or filter, or if it was modified."""
    ada, bob = await accounts.create(), await accounts.create()
    for title in ("a", "b"):
        await ada.create_note(title)
        await bob.create_note(title)
    cursor = (await ada.request("GET", "/api/v1/notes", params={"limit": "1"})).json()["next_cursor"]
    swapped = ("A" if cursor[0] != "A" else "B") + cursor[1:]

    refused = [
        await bob.request("GET", "/api/v1/notes", params={"cursor": cursor}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": cursor, "sort": "title"}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": cursor, "title": "a"}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": swapped}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": cursor[:-3]}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": "AAAA"}),
        await ada.request("GET", "/api/v1/notes", params={"cursor": "A"}),
    ]

    assert [problem(response) for response in refused] == [(422, "invalid_cursor")] * len(refused)
