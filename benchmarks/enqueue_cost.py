"""Measure what enqueueing a job adds to a unit of work.

Usage: `make db` in one terminal, then `.venv/bin/python -m benchmarks.enqueue_cost`.
"""

import asyncio
import statistics
import sys
import time
from typing import ClassVar

from sqlalchemy import text

from app.core.config import load_settings
from app.core.exceptions import DomainError
from app.db.database import Database
from app.db.queue import JobPayload, enqueue

ROUNDS = 1000


class Idle(JobPayload):
    """A job that no worker runs."""

    kind: ClassVar[str] = "benchmark"


async def write(database: Database, *, enqueues: bool) -> float:
    """Do one small write, with or without a job; return the milliseconds."""
    started = time.perf_counter()
    async with database.unit_of_work() as session:
        await session.execute(text("SELECT pg_current_xact_id()"))
        if enqueues:
            enqueue(session, Idle())
    return (time.perf_counter() - started) * 1000


async def main() -> None:
    """Alternate between the two, so that noise affects both."""
    database = Database(load_settings())
    without, with_job = [], []
    for _ in range(ROUNDS):
        without.append(await write(database, enqueues=False))
        with_job.append(await write(database, enqueues=True))
    async with database.unit_of_work() as session:
        await session.execute(text("DELETE FROM pgqueuer WHERE entrypoint = 'benchmark'"))
    await database.dispose()
    before, after = statistics.median(without), statistics.median(with_job)
    print(f"without a job {before:.2f} ms, with one {after:.2f} ms: {after - before:.2f} ms more")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except DomainError as error:
        sys.exit(error.reason or error.detail)
