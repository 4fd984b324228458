"""The table of the security log."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.db.database import Database
from app.jobs.clean_up import clean_up
from app.jobs.runner import make_resources
from app.models.security_log import SecurityLogEntry
from app.observability.security_log import SecurityEvent, record, waiting
from app.services.security_log_storage import LARGEST_BATCH, store_waiting, storing_events
from tests.conftest import make_settings
from tests.factories import Accounts
from tests.queries import ReadOnly

DAYS = 90


@pytest.fixture(autouse=True)
def nothing_waits() -> None:
    """Forget the events of other tests."""
    waiting.clear()


async def test_each_event_is_stored_once_with_its_request(accounts: Accounts, database: Database) -> None:
    """Refreshes are not stored."""
    ada = await accounts.create()
    answer = await accounts.client.post(
        "/api/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": ada.refresh_token}
    )
    assert answer.status_code == 200
    await store_waiting(database, DAYS)
    await store_waiting(database, DAYS)
    query = select(SecurityLogEntry).where(SecurityLogEntry.account_id == ada.id).order_by(SecurityLogEntry.id)
    entries = list(await ReadOnly(database).scalars(query))
    assert [entry.event for entry in entries] == ["account_created", "login_succeeded"]
    assert entries[0].request_id
    assert entries[1].facts == {"address": "127.0.0.1"}
    assert 89 < (entries[1].expires_at - datetime.now(UTC)).total_seconds() / 86_400 <= DAYS


async def test_a_process_that_stops_stores_what_waits(database: Database) -> None:
    """All of it, also if an error stops it."""
    with pytest.raises(RuntimeError):
        async with storing_events(database, DAYS):
            for _ in range(LARGEST_BATCH + 1):
                record(SecurityEvent.LOGIN_FAILED)
            raise RuntimeError
    assert len(await ReadOnly(database).scalars(select(SecurityLogEntry.id))) == LARGEST_BATCH + 1


async def test_events_wait_while_the_database_is_unavailable(database: Database) -> None:
    """They keep their order and are written later."""
    unreachable = Database(make_settings("postgresql://nobody@127.0.0.1:1/none"))
    record(SecurityEvent.LOGIN_FAILED, address="192.0.2.1")
    record(SecurityEvent.LOGIN_FAILED, address="192.0.2.2")
    await store_waiting(unreachable, DAYS)
    await unreachable.dispose()
    await store_waiting(database, DAYS)
    query = select(SecurityLogEntry.facts["address"].astext).order_by(SecurityLogEntry.id)
    assert list(await ReadOnly(database).scalars(query)) == ["192.0.2.1", "192.0.2.2"]


async def test_with_no_days_nothing_is_stored(database: Database) -> None:
    """The events are only in the log."""
    async with storing_events(database, 0):
        record(SecurityEvent.LOGIN_FAILED)
    assert not list(await ReadOnly(database).scalars(select(SecurityLogEntry)))


async def test_an_event_that_cannot_be_stored_does_not_stop_the_others(database: Database) -> None:
    """It is only in the log."""
    record(SecurityEvent.LOGIN_FAILED, address="a\0b")  # JSONB has no NUL.
    await store_waiting(database, DAYS)
    record(SecurityEvent.LOGIN_FAILED)
    await store_waiting(database, DAYS)
    assert list(await ReadOnly(database).scalars(select(SecurityLogEntry.event))) == ["login_failed"]


async def test_old_events_are_deleted(settings: Settings, database: Database) -> None:
    """After the days that they were stored for."""
    now = datetime.now(UTC)
    async with database.unit_of_work() as db:
        for days, name in ((-1, "old"), (1, "recent")):
            ends = now + timedelta(days=days)
            db.add(SecurityLogEntry(happened_at=now, event=name, facts={}, expires_at=ends))
    await clean_up(make_resources(settings, database))
    assert list(await ReadOnly(database).scalars(select(SecurityLogEntry.event))) == ["recent"]
