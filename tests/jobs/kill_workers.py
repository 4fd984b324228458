"""Run as a program: fork workers and kill each with SIGKILL in the middle of a job.

Usage: python -m tests.jobs.kill_workers DSN KILLS. The parent imports everything once and never opens a connection;
each child runs a worker whose jobs notify the parent through a pipe when they begin.
"""

import asyncio
import os
import signal
import sys

from app.db.database import Database
from app.jobs.kinds import JobContext, JobKind
from app.jobs.runner import JobRunner, make_resources
from tests.conftest import make_settings
from tests.jobs.conftest import STUBBORN, Journal, Note


def work(dsn: str, pipe: int) -> None:
    """Run a worker until it is killed."""
    settings = make_settings(dsn, job_heartbeat_timeout_seconds=0.5, job_concurrency=4, log_level="ERROR")
    database = Database(settings)
    journal = Journal(database)

    async def slow(job: Note, context: JobContext) -> None:
        os.write(pipe, b".")
        await asyncio.sleep(0.05)
        await journal.note(job, context)

    asyncio.run(JobRunner(make_resources(settings, database), [JobKind(Note, slow, STUBBORN)], ()).run())


def main() -> None:
    """Start a worker, wait until a job runs, kill it; repeat."""
    dsn, kills = sys.argv[1], int(sys.argv[2])
    for _ in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            work(dsn, writing)
        os.close(writing)
        os.read(reading, 1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    sys.stdout.write(f"killed {kills}\n")


if __name__ == "__main__":
    main()
