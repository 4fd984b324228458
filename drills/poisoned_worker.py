"""A job worker that one job kills, and that ends by itself when no job is left.

Usage: python -m drills.poisoned_worker, with the settings in the environment.
"""

import asyncio
import os
import signal
from datetime import timedelta
from typing import ClassVar

from sqlalchemy import text

from app.core.config import load_settings
from app.core.logging import configure_logging
from app.db.database import Database
from app.db.queue import JobPayload
from app.jobs.kinds import JobContext, JobKind, RetryPolicy
from app.jobs.registry import KINDS
from app.jobs.runner import JobRunner, make_resources, running_jobs

MAXIMUM_ATTEMPTS = 4


class Poison(JobPayload):
    """Kills its worker."""

    kind: ClassVar[str] = "poison"


async def kill_worker(_job: Poison, _context: JobContext) -> None:
    """Let the other jobs start, and kill the worker."""
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


async def work() -> None:
    """Work until killed, or until only failed jobs are left."""
    settings = load_settings()
    configure_logging(settings)
    database = Database(settings)
    policy = RetryPolicy(MAXIMUM_ATTEMPTS, timedelta(milliseconds=50), timedelta(milliseconds=200))
    kinds = (*KINDS, JobKind(Poison, kill_worker, policy))
    async with running_jobs(JobRunner(make_resources(settings, database), kinds, ())):
        left = text("SELECT count(*) FROM pgqueuer WHERE status <> 'failed'")
        waiting = 1
        while waiting:
            await asyncio.sleep(0.05)
            async with database.read_only() as db:
                waiting = await db.scalar(left)
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(work())
