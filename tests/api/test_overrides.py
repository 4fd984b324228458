"""`dependency_overrides`, as FastAPI's tutorial uses it."""

from fastapi import FastAPI

from app.db.database import Database
from app.dependencies import get_db
from tests.factories import Accounts


async def test_a_test_can_override_the_session_of_requests(
    app: FastAPI, accounts: Accounts, database: Database
) -> None:
    """What requests write is rolled back with the session of the test."""
    ada = await accounts.create()
    db = database.unit_of_work().session
    app.dependency_overrides[get_db] = lambda: db
    try:
        note = await ada.create_note()
        found = (await ada.request("GET", "/api/v1/notes")).json()["items"]
        assert [one["id"] for one in found] == [note["id"]]
    finally:
        app.dependency_overrides.clear()
        await db.close()
    assert (await ada.request("GET", "/api/v1/notes")).json()["items"] == []
