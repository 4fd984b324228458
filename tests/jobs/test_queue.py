"""The job queue: enqueue, run, fail, cancel."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.core.refusals import EmailTakenError
from app.db.database import Database
from app.db.queue import enqueue
from app.jobs.kinds import JobContext, JobKind, RetryPolicy
from app.jobs.runner import running_jobs
from tests.factories import PASSWORD, Accounts, problem
from tests.jobs.conftest import IMPATIENT, Journal, Note, RunnerFactory, eventually, run_until


async def add(database: Database, *names: str, **options: object) -> None:
    """Enqueue jobs in one unit of work."""
    async with database.unit_of_work() as session:
        for name in names:
            enqueue(session, Note(name=name), **options)  # type: ignore[arg-type]


async def test_a_committed_job_runs_once(database: Database, journal: Journal, make_runner: RunnerFactory) -> None:
    """It then leaves the queue."""
    await add(database, "a", "b")

    await run_until(make_runner(JobKind(Note, journal.note)), journal.is_done)
    assert sorted(await journal.read()) == ["a", "b"]


async def test_a_rolled_back_unit_of_work_enqueues_nothing(database: Database, journal: Journal) -> None:
    """The kind of error does not matter."""
    with pytest.raises(EmailTakenError):
        async with database.unit_of_work() as session:
            enqueue(session, Note(name="a"))
            raise EmailTakenError
    assert await journal.queue() == {}


async def test_a_refused_request_enqueues_nothing(accounts: Accounts, journal: Journal) -> None:
    """A second registration is a 409 and sends no second mail."""
    ada = await accounts.create()
    refused = await ada.client.post("/api/v1/users", json={"email": ada.email, "password": PASSWORD})
    assert problem(refused) == (409, "email_taken")
    assert await journal.queue() == {"queued": 1}


async def test_a_waiting_job_is_not_added_twice(database: Database, journal: Journal) -> None:
    """The deduplication key identifies it."""
    for _ in range(2):
        await add(database, "a", "a", deduplication_key="same")
    assert await journal.queue() == {"queued": 1}


async def test_a_delayed_job_waits(database: Database, journal: Journal, make_runner: RunnerFactory) -> None:
    """Another job that is enqueued later runs first."""
    await add(database, "later", delay=timedelta(seconds=0.7))
    await add(database, "now")

    await run_until(make_runner(JobKind(Note, journal.note)), journal.is_done)
    assert await journal.read() == ["now", "later"]


async def test_a_failing_job_backs_off_and_is_kept_and_can_be_requeued(
    accounts: Accounts, database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """It stops at the maximum; an administrator sees the error and resets the attempts."""
    root = await accounts.create(admin=True)
    async with database.unit_of_work() as session:
        await session.execute(text("TRUNCATE pgqueuer"))
    started: list[datetime] = []

    async def fail_thrice(job: Note, context: JobContext) -> None:
        started.append(datetime.now(UTC))
        if len(started) <= IMPATIENT.maximum_attempts:
            raise RuntimeError(f"attempt {context.attempt} failed")
        await journal.note(job, context)

    await add(database, "a")
    runner = make_runner(JobKind(Note, fail_thrice, IMPATIENT))

    async def has_failed() -> bool:
        return await journal.queue() == {"failed": 1}

    await run_until(runner, has_failed)
    [job] = (await root.request("GET", "/api/v1/admin/jobs", params={"state": "failed"})).json()["items"]
    assert (job["kind"], job["state"], job["last_error"]) == ("note", "failed", "attempt 3 failed")
    assert len(started) == 3

    path = f"/api/v1/admin/jobs/{job['id']}/requeue"
    assert (await root.request("POST", path)).status_code == 204
    assert problem(await root.request("POST", path)) == (409, "job_not_failed")

    await run_until(make_runner(JobKind(Note, fail_thrice, IMPATIENT)), journal.is_done)
    assert await journal.read() == ["a"]


def test_delays_double_with_jitter_up_to_a_bound() -> None:
    """Jitter spreads the retries of jobs that failed together."""
    policy = RetryPolicy(first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=20))
    for attempt, expected in ((1, 1), (2, 2), (3, 4), (4, 8), (10, 20)):
        delays = {policy.delay_after(attempt).total_seconds() for _ in range(50)}
        assert expected * 0.5 <= min(delays) < max(delays) <= expected * 1.5


async def test_an_administrator_cancels_a_running_job(
    accounts: Accounts, database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """The job is interrupted and never retried."""
    root = await accounts.create(admin=True)
    async with database.unit_of_work() as session:
        await session.execute(text("TRUNCATE pgqueuer"))
    running = asyncio.Event()

    async def hang(job: Note, context: JobContext) -> None:
        running.set()
        await asyncio.Event().wait()
        await journal.note(job, context)

    await add(database, "a")
    async with running_jobs(make_runner(JobKind(Note, hang))):
        await running.wait()
        [job] = (await root.request("GET", "/api/v1/admin/jobs", params={"state": "running"})).json()["items"]
        assert (await root.request("DELETE", f"/api/v1/admin/jobs/{job['id']}")).status_code == 204

        await eventually(journal.is_done)
    assert await journal.read() == []
    assert problem(await root.request("DELETE", f"/api/v1/admin/jobs/{job['id']}")) == (404, "not_found")
