"""Run as a program: a worker that is killed by a job named poison, and ends by itself when no job is left to run.

Usage: python -m tests.jobs.poisoned_worker DSN.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from app.db.database import Database
from app.jobs.kinds import JobContext, JobKind, RetryPolicy
from app.jobs.runner import JobRunner, make_resources
from tests.conftest import make_settings
from tests.jobs.conftest import Journal, Note, run_until

TWICE = RetryPolicy(maximum_attempts=2, first_delay=timedelta(milliseconds=20))


async def work(dsn: str) -> None:
    """Work until killed, or until only failed jobs are left."""
    settings = make_settings(dsn, job_heartbeat_timeout_seconds=1.5, log_level="ERROR")
    database = Database(settings)
    journal = Journal(database)

    async def handle(job: Note, context: JobContext) -> None:
        await journal.note(job, context)
        if job.name == "poison":
            await asyncio.sleep(0.2)  # The neighbours have begun, and most are done.
            os.kill(os.getpid(), signal.SIGKILL)

    async def is_done() -> bool:
        return set(await journal.queue()) <= {"failed"}

    runner = JobRunner(make_resources(settings, database), [JobKind(Note, handle, TWICE)], ())
    await run_until(runner, is_done)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
