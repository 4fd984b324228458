"""The table of the security log."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from app.core.config import Settings
from app.db.database import Database
from app.jobs.clean_up import clean_up
from app.jobs.runner import make_resources
from app.models.security_log import SecurityLogEntry
from app.observability.security_log import SecurityEvent, record, waiting
from app.services.security_log_storage import store_waiting, storing_events
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
    """A deployment loses no event."""
    async with storing_events(database, DAYS):
        record(SecurityEvent.LOGIN_FAILED)
    assert list(await ReadOnly(database).scalars(select(SecurityLogEntry.event))) == ["login_failed"]


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
    """No event waits, either."""
    record(SecurityEvent.LOGIN_FAILED)
    await store_waiting(database, 0)
    assert not waiting
    assert not list(await ReadOnly(database).scalars(select(SecurityLogEntry)))


@pytest.mark.parametrize(("days", "left"), [(1, 1), (-1, 0)])
async def test_old_events_are_deleted(settings: Settings, database: Database, days: int, left: int) -> None:
    """After the days that they were stored for."""
    record(SecurityEvent.LOGIN_FAILED)
    await store_waiting(database, days)
    await clean_up(make_resources(settings, database))
    [count] = await ReadOnly(database).scalars(text("SELECT count(*) FROM security_log"))
    assert count == left
