"""Clean-up jobs."""

import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from app.jobs import clean_up
from app.jobs.runner import make_resources
from tests.queries import ReadOnly


async def test_old_things_go_and_recent_ones_stay(settings: Settings, database: Database) -> None:
    """Each statement defines the age."""
    insert = text(
        "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint) VALUES "
        "(now() - interval '8 days', 1, 'successful', 0, 'old'), (now(), 2, 'successful', 0, 'recent')"
    )
    async with database.unit_of_work() as session:
        await session.execute(insert)
    await clean_up.clean_up(make_resources(settings, database))
    reader = ReadOnly(database)
    assert list(await reader.scalars(text("SELECT entrypoint FROM pgqueuer_log"))) == ["recent"]


async def test_one_that_fails_does_not_stop_the_others(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, logs: pytest.LogCaptureFixture
) -> None:
    """The failure is logged with its name."""
    broken = {"broken": text("DELETE FROM nothing")}
    monkeypatch.setattr(clean_up, "CLEAN_UPS", {**broken, "works": text("DELETE FROM pgqueuer_log")})
    await clean_up.clean_up(make_resources(settings, database))
    assert "broken" in logs.text
    assert "works" not in logs.text
