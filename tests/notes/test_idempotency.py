"""Requests that are repeated with an `Idempotency-Key`."""

import asyncio
from collections import Counter
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from app.db.database import Database
from tests.factories import Account, Accounts, problem
from tests.notes.test_conditions import NOTES
from tests.queries import ReadOnly

pytestmark = pytest.mark.usefixtures("both_services")


CUT_ANSWERS = 1000


async def create(account: Account, key: str, title: str = "milk") -> httpx2.Response:
    """Create a note under an idempotency key."""
    return await account.request("POST", NOTES, json={"title": title}, headers={"Idempotency-Key": key})


async def count(database: Database) -> int:
    """Return the number of notes."""
    session = ReadOnly(database)
    return int(await session.scalar(text("SELECT count(*) FROM notes")) or 0)


async def test_a_retried_request_is_done_once(accounts: Accounts, database: Database) -> None:
    """The retry gets the same status, body and headers, and a header that marks it."""
    ada = await accounts.create()
    first, again = await create(ada, "k1"), await create(ada, "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    for header in ("location", "etag", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await count(database) == 1


async def test_another_payload_under_the_same_key_is_a_mistake(accounts: Accounts, database: Database) -> None:
    """It creates nothing."""
    ada = await accounts.create()
    await create(ada, "k1")
    assert problem(await create(ada, "k1", "bread")) == (422, "idempotency_key_reused")
    assert await count(database) == 1


async def test_keys_belong_to_their_users(accounts: Accounts, database: Database) -> None:
    """Two users may choose the same key."""
    ada, bob = await accounts.create(), await accounts.create()
    assert (await create(ada, "k1")).json()["owner_id"] == str(ada.id)
    assert (await create(bob, "k1")).json()["owner_id"] == str(bob.id)
    assert await count(database) == 2


async def test_a_failure_without_effect_is_not_kept(accounts: Accounts) -> None:
    """The key can be used for the corrected request."""
    ada = await accounts.create()
    assert problem(await create(ada, "k1", "")) == (422, "validation_failed")
    assert (await create(ada, "k1", "milk")).status_code == 201


async def test_concurrent_requests_with_one_key_have_one_effect(accounts: Accounts, database: Database) -> None:
    """The others wait for the first and return its response."""
    ada = await accounts.create()
    answers = await asyncio.gather(*(create(ada, "k1") for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(database) == 1


async def test_a_twin_that_takes_too_long_is_a_conflict(accounts: Accounts, database: Database) -> None:
    """The wait is bounded."""
    ada = await accounts.create()
    hold = text(
        "INSERT INTO idempotency_keys (user_id, operation, key, fingerprint) VALUES (:user, :operation, 'k1', '')"
    )
    async with database.unit_of_work() as session:
        await session.execute(hold, {"user": ada.id, "operation": f"POST {NOTES}"})
        assert problem(await create(ada, "k1")) == (409, "idempotency_in_progress")


async def test_a_key_lives_for_a_day(accounts: Accounts, database: Database) -> None:
    """Then it can be used for another request."""
    ada = await accounts.create()
    await create(ada, "k1")
    async with database.unit_of_work() as session:
        await session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))
    assert "idempotent-replayed" not in (await create(ada, "k1", "bread")).headers
    assert await count(database) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "nul\x00", "ü"])
async def test_a_key_that_is_none_is_refused(accounts: Accounts, key: str) -> None:
    """A key has 1 to 255 printable ASCII characters."""
    ada = await accounts.create()
    headers = {"Idempotency-Key": key.encode("latin-1")}
    response = await ada.request("POST", NOTES, json={"title": "milk"}, headers=headers)
    assert problem(response) == (422, "validation_failed")


@pytest.mark.soak
async def test_a_thousand_requests_whose_answer_is_cut_make_a_thousand_rows(
    accounts: Accounts, database: Database
) -> None:
    """Each request is cancelled at some moment, and retried with its key until there is a response."""
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
