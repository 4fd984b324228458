"""Sample the pools, the event loop, the memory and the job queue for the metrics."""

import asyncio
import os
import time
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.core.background import in_background
from app.core.exceptions import DomainError
from app.db.database import Database
from app.db.transaction import DATABASE_ERRORS
from app.models.job import select_queue_state
from app.observability.metrics import Metrics

SAMPLE_SECONDS = 1.0
QUEUE_TIMEOUT_SECONDS = 0.5
STATES = ("queued", "running", "failed")
MEMORY = Path("/proc/self/statm")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class MetricsService:
    """Samples values that no request updates, and returns the metrics."""

    metrics: Metrics
    database: Database

    async def expose(self) -> bytes:
        """Sample the job queue and return all metrics; without the database the last values remain."""
        with suppress(DomainError, *DATABASE_ERRORS):
            async with asyncio.timeout(QUEUE_TIMEOUT_SECONDS):
                await self._look_at_queue()
        return self.metrics.expose()

    async def count_waiting_jobs(self) -> int:
        """Return the number of jobs that wait."""
        async with self.database.read_only(replica=True) as db:
            rows = (await db.execute(select_queue_state())).all()
        return sum(row.jobs for row in rows if row.state == "queued")

    async def _look_at_queue(self) -> None:
        async with self.database.read_only(replica=True) as db:
            rows = (await db.execute(select_queue_state())).all()
        counts = {row.state: row.jobs for row in rows}
        for state in STATES:
            self.metrics.jobs.labels(state).set(counts.get(state, 0))
        self.metrics.oldest_job.set(max((float(row.oldest_due or 0) for row in rows), default=0.0))

    def sampling(self) -> AbstractAsyncContextManager[None]:
        """Sample this process every second during a block."""
        return in_background(self._sample_forever())

    async def _sample_forever(self) -> None:
        waits, wait_seconds = 0, 0.0
        while True:
            started = time.perf_counter()
            await asyncio.sleep(SAMPLE_SECONDS)
            self.metrics.loop_lag.observe(max(0.0, time.perf_counter() - started - SAMPLE_SECONDS))
            self.metrics.note_in_flight()
            usage = self.database.pool_usage()
            self.metrics.pool_size.set(usage.size)
            self.metrics.pool_in_use.set(usage.in_use)
            self.metrics.pool_waiting.set(usage.waiting)
            self.metrics.pool_waits.inc(usage.waits - waits)
            self.metrics.pool_wait_seconds.inc(usage.wait_seconds - wait_seconds)
            waits, wait_seconds = usage.waits, usage.wait_seconds
            self.metrics.memory.set(resident_bytes())


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 without /proc."""
    return int(MEMORY.read_text().split()[1]) * PAGE_BYTES if MEMORY.exists() else 0
