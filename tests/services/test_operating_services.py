"""Idempotency, jobs, health and metrics, without HTTP."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.core.config import Settings
from app.core.exceptions import NotFoundError
from app.core.refusals import IdempotencyKeyReusedError, JobNotFailedError
from app.db.database import Database
from app.db.queue import enqueue, flush_jobs
from app.db.session import Session
from app.models.idempotency_key import IdempotencyKey
from app.models.user import Role
from app.observability.health import HealthService
from app.observability.metrics import Metrics
from app.observability.sampling import MetricsService
from app.schemas.job import JobQuery
from app.schemas.mail import SendResetPasswordMail
from app.services.idempotency_service import IdempotencyService, StoredAnswer
from app.services.job_service import JobService
from tests.conftest import make_settings
from tests.services.conftest import Users, principal

ANSWER = StoredAnswer(201, {"etag": '"1"'}, b"{}")


async def test_an_answer_is_stored_under_its_key(db: Session, users: Users) -> None:
    """Another payload is refused, and an expired key can be used again."""
    service = IdempotencyService(db, (await users.create()).id, "POST /things", "key")
    assert await service.begin(b"payload") is None
    await service.finish(ANSWER)
    assert await service.begin(b"payload") == ANSWER
    with pytest.raises(IdempotencyKeyReusedError):
        await service.begin(b"other")
    await db.execute(update(IdempotencyKey).values(created_at=IdempotencyKey.created_at - timedelta(days=2)))
    assert await service.begin(b"other") is None


async def test_jobs_are_listed_requeued_and_cancelled(db: Session, users: Users) -> None:
    """Only a failed one can be requeued."""
    service = JobService(db, principal(await users.create(role=Role.ADMIN)))
    for number in range(3):
        enqueue(db, SendResetPasswordMail(email=f"{number}@example.com"))
    await flush_jobs(db)
    page = await service.list(JobQuery(limit=2))
    first, second = page.items
    assert (first.kind, first.state, first.last_error) == ("send_reset_password_mail", "queued", None)
    assert len((await service.list(JobQuery(limit=2, cursor=page.next_cursor))).items) == 1
    with pytest.raises(JobNotFailedError):
        await service.requeue(first.id)
    await db.execute(text("UPDATE pgqueuer SET status = 'failed' WHERE id = :id"), {"id": first.id})
    assert [job.id for job in (await service.list(JobQuery(state="failed"))).items] == [first.id]
    await service.requeue(first.id)
    await service.cancel(second.id)
    with pytest.raises(NotFoundError):
        await service.cancel(second.id)


async def test_health_follows_the_database(database: Database) -> None:
    """It also shows that the process drains."""
    service = HealthService(database)
    assert (await service.check()).status == "ok"
    service.drain()
    assert (await service.check()).checks == {"database": "ok", "process": "unavailable"}
    gone = Database(make_settings("postgresql://127.0.0.1:1/app"))
    assert (await HealthService(gone).check()).checks == {"database": "unavailable"}
    await gone.dispose()


async def test_metrics_count_the_jobs(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """By state."""
    monkeypatch.setattr("app.observability.sampling.QUEUE_TIMEOUT_SECONDS", 10)
    async with database.unit_of_work() as db:
        enqueue(db, SendResetPasswordMail(email="ada@example.com"))
    exposed = (await MetricsService(Metrics(settings), database).expose()).decode()
    assert 'jobs{state="queued"} 1.0' in exposed
