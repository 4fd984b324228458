"""Several workers, and workers that stop."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import structlog

from app.db.database import Database
from app.jobs.kinds import JobContext, JobKind, Schedule
from app.jobs.runner import JobRunner, running_jobs
from tests.databases import end_connections
from tests.jobs.conftest import Journal, Note, RunnerFactory, eventually, run_until
from tests.jobs.test_queue import add


async def test_a_stopping_worker_finishes_what_it_can_and_puts_back_the_rest(
    database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """Jobs that exceed the shutdown timeout are interrupted, and other workers run them immediately."""
    started: list[str] = []

    async def short_or_endless(job: Note, context: JobContext) -> None:
        started.append(job.name)
        await asyncio.sleep(0.3 if job.name == "short" else 3600)
        await journal.note(job, context)

    await add(database, "short", "endless")

    async def both_run() -> bool:
        return len(started) == 2

    await run_until(make_runner(JobKind(Note, short_or_endless)), both_run)
    assert await journal.read() == ["short"]
    assert await journal.queue() == {"queued": 1}


async def test_two_workers_never_run_the_same_job_at_the_same_moment(
    database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """Three workers run sixty jobs, each longer than a heartbeat."""
    active: Counter[str] = Counter()
    overlaps: list[str] = []

    async def exclusive(job: Note, context: JobContext) -> None:
        active[job.name] += 1
        if active[job.name] > 1:
            overlaps.append(job.name)
        await asyncio.sleep(1.5)
        await journal.note(job, context)
        active[job.name] -= 1

    names = [str(number) for number in range(60)]
    await add(database, *names)

    runners = [make_runner(JobKind(Note, exclusive), job_concurrency=40) for _ in range(3)]
    await run_until(runners[0], journal.is_done, *runners[1:])
    assert overlaps == []
    assert sorted(await journal.read()) == sorted(names)


async def test_a_schedule_runs_once_although_three_workers_are_up(journal: Journal, make_runner: RunnerFactory) -> None:
    """There are about as many runs as seconds, not two or three times as many; a run may be late."""

    async def note_time(_: object) -> None:
        await journal.write(datetime.now(UTC).isoformat(timespec="seconds"))

    runners: list[JobRunner] = [make_runner() for _ in range(3)]
    for runner in runners:
        runner.schedules = (Schedule("tick", "* * * * * */1", note_time),)

    async def has_ticked() -> bool:
        return len(await journal.read()) >= 4

    await run_until(runners[0], has_ticked, *runners[1:])
    ticks = await journal.read()
    seconds = (datetime.fromisoformat(ticks[-1]) - datetime.fromisoformat(ticks[0])).total_seconds()
    assert len(ticks) <= seconds + 1


async def test_a_worker_survives_the_loss_of_its_connections(
    database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """It reconnects."""
    async with running_jobs(make_runner(JobKind(Note, journal.note))):
        await add(database, "before")
        await eventually(journal.is_done)
        await end_connections(database)
        await add(database, "after")
        await eventually(journal.is_done)
    assert await journal.read() == ["before", "after"]


async def test_the_logs_of_a_job_carry_the_request_that_enqueued_it(
    database: Database, journal: Journal, make_runner: RunnerFactory
) -> None:
    """One request id finds all log lines."""
    seen: list[object] = []

    async def look(job: Note, context: JobContext) -> None:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])
        await journal.note(job, context)

    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        await add(database, "a")

    await run_until(make_runner(JobKind(Note, look)), journal.is_done)
    assert seen == ["req-1"]
