"""Versions of notes and conditional requests, over HTTP."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx2
import pytest

from app.core.config import Settings
from tests.conftest import BASE_URL, with_state
from tests.factories import Account, Accounts, problem
from tests.notes.application import create_notes_application

pytestmark = pytest.mark.usefixtures("both_services")
NOTES = "/api/v1/notes"
EDITORS, EDITS = 10, 1000


async def create_with_etag(account: Account) -> tuple[str, str]:
    """Return the path and the entity tag of a new note."""
    response = await account.request("POST", NOTES, json={"title": "0"})
    return response.headers["location"], response.headers["etag"]


async def test_each_change_gives_another_tag(accounts: Accounts) -> None:
    """Reading returns the current one."""
    ada = await accounts.create()
    path, first = await create_with_etag(ada)
    second = (await ada.request("PATCH", path, json={"title": "1"})).headers["etag"]
    assert (first, second) == ('"1"', '"2"')
    assert (await ada.request("GET", path)).headers["etag"] == second


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"5", "1"', 304), ("*", 304), ('"2"', 200), ("garbage", 200), ("", 200)],
)
async def test_an_unchanged_note_is_not_sent_again(accounts: Accounts, condition: str, status: int) -> None:
    """If-None-Match uses the weak comparison."""
    ada = await accounts.create()
    path, tag = await create_with_etag(ada)
    for method in ("GET", "HEAD"):
        response = await ada.request(method, path, headers={"If-None-Match": condition})
        assert (response.status_code, response.headers["etag"]) == (status, tag)
    if status == 304:
        assert response.content == b""


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ('"1"', True),
        ("*", True),
        ('"7", "1"', True),
        ('W/"1"', False),
        ('"2"', False),
        ('"01"', False),
        ("garbage", False),
    ],
)
async def test_only_the_version_that_is_meant_is_changed(
    accounts: Accounts, method: str, condition: str, is_met: bool
) -> None:
    """If-Match uses the strong comparison."""
    ada = await accounts.create()
    path, _ = await create_with_etag(ada)
    body = {"json": {"title": "1"}} if method == "PATCH" else {}
    response = await ada.request(method, path, headers={"If-Match": condition}, **body)
    if is_met:
        assert response.is_success
    else:
        assert problem(response) == (412, "precondition_failed")
        assert (await ada.request("GET", path)).json()["title"] == "0"


async def test_of_what_is_not_there_no_version_is_asked_for(accounts: Accounts) -> None:
    """Missing notes and those of other users are 404, with any condition."""
    ada, bob = await accounts.create(), await accounts.create()
    path, tag = await create_with_etag(ada)
    for missing in (path, f"{NOTES}/{uuid4()}"):
        response = await bob.request("DELETE", missing, headers={"If-Match": tag})
        assert problem(response) == (404, "not_found")


async def test_a_setting_makes_conditions_obligatory(settings: Settings, accounts: Accounts) -> None:
    """Requests without a condition get 428."""
    ada = await accounts.create()
    path, tag = await create_with_etag(ada)
    app = create_notes_application(settings.model_copy(update={"require_if_match": True}))
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(with_state(app, state))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=ada.headers) as client:
            assert problem(await client.delete(path)) == (428, "precondition_required")
            assert (await client.delete(path, headers={"If-Match": tag})).status_code == 204


@pytest.mark.soak
async def test_conflicting_changes_lose_no_update(accounts: Accounts) -> None:
    """Each editor reads, adds one and writes with a condition (10,000 times in benchmarks/conflicting_edits.py)."""
    ada = await accounts.create()
    path, _ = await create_with_etag(ada)
    outcomes: Counter[int] = Counter()

    async def edit() -> None:
        for _ in range(EDITS // EDITORS):
            current = await ada.request("GET", path)
            title = str(int(current.json()["title"]) + 1)
            headers = {"If-Match": current.headers["etag"]}
            response = await ada.request("PATCH", path, json={"title": title}, headers=headers)
            outcomes[response.status_code] += 1

    await asyncio.gather(*(edit() for _ in range(EDITORS)))
    assert outcomes.keys() == {200, 412}
    assert outcomes.total() == EDITS
    assert (await ada.request("GET", path)).json()["title"] == str(outcomes[200])
