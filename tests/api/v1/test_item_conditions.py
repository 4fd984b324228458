"""Versions of items and repeated requests, over HTTP."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from app.main import create_application
from tests.conftest import BASE_URL, with_state
from tests.factories import Account, Accounts, problem
from tests.queries import ReadOnly

pytestmark = pytest.mark.usefixtures("both_services")
ITEMS = "/api/v1/items"
EDITORS, EDITS = 10, 1000
CUT_ANSWERS = 1000


async def tagged(account: Account) -> tuple[str, str]:
    """The path and the tag of a new item."""
    response = await account.request("POST", ITEMS, json={"title": "0"})
    return response.headers["location"], response.headers["etag"]


async def test_each_change_gives_another_tag(accounts: Accounts) -> None:
    """And reading gives the current one."""
    ada = await accounts.create()
    path, first = await tagged(ada)
    second = (await ada.request("PATCH", path, json={"title": "1"})).headers["etag"]
    assert (first, second) == ('"1"', '"2"')
    assert (await ada.request("GET", path)).headers["etag"] == second


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"5", "1"', 304), ("*", 304), ('"2"', 200), ("garbage", 200), ("", 200)],
)
async def test_an_unchanged_item_is_not_sent_again(accounts: Accounts, condition: str, status: int) -> None:
    """If-None-Match, compared weakly."""
    ada = await accounts.create()
    path, tag = await tagged(ada)
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
    """If-Match, compared strongly."""
    ada = await accounts.create()
    path, _ = await tagged(ada)
    body = {"json": {"title": "1"}} if method == "PATCH" else {}
    response = await ada.request(method, path, headers={"If-Match": condition}, **body)
    if is_met:
        assert response.is_success
    else:
        assert problem(response) == (412, "precondition_failed")
        assert (await ada.request("GET", path)).json()["title"] == "0"


async def test_of_what_is_not_there_no_version_is_asked_for(accounts: Accounts) -> None:
    """A missing item and another's are 404, whatever the condition."""
    ada, bob = await accounts.create(), await accounts.create()
    path, tag = await tagged(ada)
    for missing in (path, f"{ITEMS}/{uuid4()}"):
        response = await bob.request("DELETE", missing, headers={"If-Match": tag})
        assert problem(response) == (404, "not_found")


async def test_a_setting_makes_conditions_obligatory(settings: Settings, accounts: Accounts) -> None:
    """428 without one."""
    ada = await accounts.create()
    path, tag = await tagged(ada)
    app = create_application(settings.model_copy(update={"require_if_match": True}))
    async with app.router.lifespan_context(app) as state:
        transport = httpx2.ASGITransport(with_state(app, state))  # type: ignore[arg-type]
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=ada.headers) as client:
            assert problem(await client.delete(path)) == (428, "precondition_required")
            assert (await client.delete(path, headers={"If-Match": tag})).status_code == 204


@pytest.mark.soak
async def test_conflicting_changes_lose_no_update(accounts: Accounts) -> None:
    """Each editor reads, adds one and writes on condition (ten thousand times in benchmarks/conflicting_edits.py)."""
    ada = await accounts.create()
    path, _ = await tagged(ada)
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


async def create(account: Account, key: str, title: str = "milk") -> httpx2.Response:
    """Create an item under an idempotency key."""
    return await account.request("POST", ITEMS, json={"title": title}, headers={"Idempotency-Key": key})


async def count(database: Database) -> int:
    """How many items there are."""
    session = ReadOnly(database)
    return int(await session.scalar(text("SELECT count(*) FROM items")) or 0)


async def test_a_retried_request_is_done_once(accounts: Accounts, database: Database) -> None:
    """The same status, body and headers, and a mark."""
    ada = await accounts.create()
    first, again = await create(ada, "k1"), await create(ada, "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    for header in ("location", "etag", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(database) == 1


async def test_another_payload_under_the_same_key_is_a_mistake(accounts: Accounts, database: Database) -> None:
    """And makes nothing."""
    ada = await accounts.create()
    await create(ada, "k1")
    assert problem(await create(ada, "k1", "bread")) == (422, "idempotency_key_reused")
    assert await count(database) == 1


async def test_keys_belong_to_their_users(accounts: Accounts, database: Database) -> None:
    """Two people may choose the same."""
    ada, bob = await accounts.create(), await accounts.create()
    assert (await create(ada, "k1")).json()["owner_id"] == str(ada.id)
    assert (await create(bob, "k1")).json()["owner_id"] == str(bob.id)
    assert await count(database) == 2


async def test_a_failure_without_effect_is_not_kept(accounts: Accounts) -> None:
    """The key is free for the corrected request."""
    ada = await accounts.create()
    assert problem(await create(ada, "k1", "")) == (422, "validation_failed")
    assert (await create(ada, "k1", "milk")).status_code == 201


async def test_twins_at_once_have_one_effect(accounts: Accounts, database: Database) -> None:
    """The others wait for the first and give its answer."""
    ada = await accounts.create()
    answers = await asyncio.gather(*(create(ada, "k1") for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(database) == 1


async def test_a_twin_that_takes_too_long_is_a_conflict(accounts: Accounts, database: Database) -> None:
    """Rather than a wait without end."""
    ada = await accounts.create()
    hold = text(
        "INSERT INTO idempotency_keys (user_id, operation, key, fingerprint) VALUES (:user, :operation, 'k1', '')"
    )
    async with database.unit_of_work() as session:
        await session.execute(hold, {"user": ada.id, "operation": f"POST {ITEMS}"})
        assert problem(await create(ada, "k1")) == (409, "idempotency_in_progress")


async def test_a_key_lives_for_a_day(accounts: Accounts, database: Database) -> None:
    """Then it is as new."""
    ada = await accounts.create()
    await create(ada, "k1")
    async with database.unit_of_work() as session:
        await session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    assert "idempotent-replayed" not in (await create(ada, "k1", "bread")).headers
    assert await count(database) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "nul\x00", "ü"])
async def test_a_key_that_is_none_is_refused(accounts: Accounts, key: str) -> None:
    """1 to 255 printable letters of ASCII."""
    ada = await accounts.create()
    headers = {"Idempotency-Key": key.encode("latin-1")}
    response = await ada.request("POST", ITEMS, json={"title": "milk"}, headers=headers)
    assert problem(response) == (422, "validation_failed")


@pytest.mark.soak
async def test_a_thousand_requests_whose_answer_is_cut_make_a_thousand_rows(
    accounts: Accounts, database: Database
) -> None:
    """Each is abandoned at some moment, and retried with its key until an answer arrives."""
    ada = await accounts.create()

    async def persist(number: int) -> UUID:
        attempt = asyncio.create_task(create(ada, f"k{number}"))
        for _ in range(number % 40):
            await asyncio.sleep(0)
        attempt.cancel()
        await asyncio.wait([attempt])
        return UUID((await create(ada, f"k{number}")).json()["id"])

    made: set[UUID] = set()
    for start in range(0, CUT_ANSWERS, 20):
        made |= set(await asyncio.gather(*(persist(number) for number in range(start, start + 20))))
    assert len(made) == CUT_ANSWERS
    assert await count(database) == CUT_ANSWERS
