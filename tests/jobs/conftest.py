"""Job kinds that record each run in a separate table."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import ClassVar

import pytest
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from app.db.queue import JobPayload
from app.jobs.kinds import JobContext, JobKind, RetryPolicy
from app.jobs.runner import JobRunner, make_resources, running_jobs
from tests.queries import ReadOnly

IMPATIENT = RetryPolicy(maximum_attempts=3, first_delay=timedelta(milliseconds=20))
STUBBORN = RetryPolicy(1000, timedelta(milliseconds=20), timedelta(milliseconds=200))
"""For jobs whose workers are killed repeatedly."""


class Note(JobPayload):
    """A job that records that it ran."""

    kind: ClassVar[str] = "note"
    name: str


class Journal:
    """The recorded runs, as other connections see them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def write(self, name: str) -> None:
        """Record a run."""
        async with self.database.unit_of_work() as session:
            await session.execute(text("INSERT INTO journal (name) VALUES (:name)"), {"name": name})

    async def read(self) -> list[str]:
        """Return every run, in order."""
        session = ReadOnly(self.database)
        return list(await session.scalars(text("SELECT name FROM journal ORDER BY at")))

    async def queue(self) -> dict[str, int]:
        """Return the number of jobs by state."""
        session = ReadOnly(self.database)
        rows = await session.execute(text("SELECT status::text, count(*) FROM pgqueuer GROUP BY 1"))
        return {row[0]: row[1] for row in rows}

    async def is_done(self) -> bool:
        """Return whether no job is left."""
        return await self.queue() == {}

    async def note(self, job: Note, context: JobContext) -> None:
        """Handle a Note."""
        del context
        await self.write(job.name)


@pytest.fixture
async def journal(database: Database) -> AsyncIterator[Journal]:
    """An empty journal."""
    create = "CREATE TABLE journal (name text, at timestamptz DEFAULT clock_timestamp())"
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(create)
    yield Journal(database)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE journal")


RunnerFactory = Callable[..., JobRunner]


@pytest.fixture
def make_runner(settings: Settings, database: Database) -> RunnerFactory:
    """Return the loop of a worker with the jobs of the test and a short heartbeat timeout."""

    def make(*kinds: JobKind, **options: object) -> JobRunner:
        impatient = settings.model_copy(
            update={"job_heartbeat_timeout_seconds": 1.0, "shutdown_timeout_seconds": 1, **options}
        )
        return JobRunner(make_resources(impatient, database), kinds, ())

    return make


async def run_until(runner: JobRunner, is_done: Callable[[], Awaitable[bool]], *others: JobRunner) -> None:
    """Run workers until a condition is true."""
    if others:
        async with running_jobs(runner):
            await run_until(others[0], is_done, *others[1:])
        return
    async with running_jobs(runner):
        await eventually(is_done)


async def eventually(is_done: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Return when a condition is true; fail after some time."""
    async with asyncio.timeout(seconds):
        while not await is_done():  # noqa: ASYNC110  only the database knows
            await asyncio.sleep(0.02)
