"""Single notes over HTTP."""

from uuid import uuid4

import httpx2
import pytest

from tests.factories import Account, Accounts, problem
from tests.subjects import Subject

pytestmark = pytest.mark.usefixtures("both_services")


async def create_note(account: Account) -> tuple[object, ...]:
    """Create a note for the sweeps."""
    return ((await account.create_note())["id"],)


SUBJECT = Subject(("note_id",), create_note, {"create_note": {"title": "x"}, "update_note": {"title": "x"}})


async def test_a_note_can_be_created_read_changed_and_deleted(accounts: Accounts) -> None:
    """The whole life of a note."""
    ada = await accounts.create()
    created = await ada.request("POST", "/api/v1/notes", json={"title": "milk", "description": "2 l"})
    assert created.status_code == 201
    path = created.headers["location"]
    assert path == f"/api/v1/notes/{created.json()['id']}"
    assert created.json()["owner_id"] == str(ada.id)

    changed = await ada.request("PATCH", path, json={"title": "oat milk"})
    assert (changed.status_code, changed.json()["title"]) == (200, "oat milk")
    assert changed.json()["description"] == "2 l"
    assert changed.json()["updated_at"] > changed.json()["created_at"]
    assert (await ada.request("GET", path)).json() == changed.json()

    assert (await ada.request("DELETE", path)).status_code == 204
    assert problem(await ada.request("GET", path)) == (404, "not_found")


async def test_null_empties_the_description_and_absence_keeps_it(accounts: Accounts) -> None:
    """A missing field, null and a value are three different inputs."""
    ada = await accounts.create()
    path = f"/api/v1/notes/{(await ada.create_note(description='2 l'))['id']}"
    assert (await ada.request("PATCH", path, json={})).json()["description"] == "2 l"
    assert (await ada.request("PATCH", path, json={"description": None})).json()["description"] is None


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_notes_of_other_users_look_missing(accounts: Accounts, method: str) -> None:
    """A note of another user and a missing note get the same response."""
    ada, bob = await accounts.create(), await accounts.create()
    note = await ada.create_note()
    body = {"json": {"title": "mine now"}} if method == "PATCH" else {}

    theirs = await bob.request(method, f"/api/v1/notes/{note['id']}", **body)
    missing = await bob.request(method, f"/api/v1/notes/{uuid4()}", **body)

    assert problem(theirs) == problem(missing) == (404, "not_found")
    assert theirs.json()["detail"] == missing.json()["detail"]
    assert (await ada.request("GET", f"/api/v1/notes/{note['id']}")).json() == note


async def test_both_spellings_of_a_path_answer_alike(accounts: Accounts) -> None:
    """A trailing slash causes no redirect."""
    ada = await accounts.create()
    await ada.create_note()
    plain, slashed = await ada.request("GET", "/api/v1/notes"), await ada.request("GET", "/api/v1/notes/")
    assert plain.status_code == slashed.status_code == 200
    assert plain.json() == slashed.json()


async def test_head_answers_as_get_without_a_body(accounts: Accounts) -> None:
    """Status and Content-Length are equal."""
    ada = await accounts.create()
    got, head = await ada.request("GET", "/api/v1/notes"), await ada.request("HEAD", "/api/v1/notes")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_answers_to_the_authenticated_are_not_stored(accounts: Accounts) -> None:
    """Shared caches store no user data."""
    ada = await accounts.create()
    response: httpx2.Response = await ada.request("GET", "/api/v1/notes")
    assert response.headers["cache-control"] == "no-store"


async def test_an_optional_login_is_used_where_there_is_one(accounts: Accounts) -> None:
    """The response varies by the caller. The cookie of a session that has ended is no login."""
    ada, bob = await accounts.create(), await accounts.create()
    path = f"/api/v1/notes/public/{(await ada.create_note())['id']}"
    seen = [await ada.request("GET", path), await bob.request("GET", path), await ada.client.get(path)]
    seen.append(await ada.client.get(path, headers={"Cookie": "session=ended"}))
    assert [response.json()["is_own"] for response in seen] == [True, False, False, False]
    assert {response.headers["vary"] for response in seen} == {"Authorization, Cookie"}
    assert [response.headers.get("cache-control") for response in seen] == ["no-store", "no-store", None, "no-store"]
