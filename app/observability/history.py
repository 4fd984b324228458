"""The last hour of this process, for the charts of the start page."""

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager, suppress
from typing import NamedTuple

from app.core.background import in_background
from app.core.exceptions import DomainError
from app.db.transaction import DATABASE_ERRORS
from app.observability.sampling import MetricsService

SAMPLE_SECONDS = 15
SAMPLES = 3600 // SAMPLE_SECONDS


class Chart(NamedTuple):
    """A line, in coordinates from 0 to `width` and from 0 (at the top) to 100."""

    title: str
    points: str
    latest: str
    highest: str
    width: int = SAMPLES - 1


class History:
    """Requests per second and jobs in the queue, every 15 seconds."""

    def __init__(self, service: MetricsService) -> None:
        """Read the metrics of this process."""
        self._service = service
        self._requests: deque[float] = deque([0.0], maxlen=SAMPLES)
        self._jobs: deque[float] = deque([0.0], maxlen=SAMPLES)

    def recording(self) -> AbstractAsyncContextManager[None]:
        """Sample during a block."""
        return in_background(self._record_forever())

    async def _record_forever(self) -> None:
        before = self._service.metrics.completed_requests()
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            now = self._service.metrics.completed_requests()
            self._requests.append((now - before) / SAMPLE_SECONDS)
            before = now
            with suppress(DomainError, *DATABASE_ERRORS):
                self._jobs.append(await self._service.count_waiting_jobs())

    def charts(self) -> list[Chart]:
        """Return both lines."""
        return [draw("Requests per second", self._requests), draw("Jobs in the queue", self._jobs)]


def draw(title: str, values: deque[float]) -> Chart:
    """Return the chart of some values, the latest at the right."""
    highest = max(values)
    left = SAMPLES - len(values)
    heights = [98 - 96 * value / highest if highest else 98.0 for value in values]
    points = " ".join(f"{left + index},{height:.1f}" for index, height in enumerate(heights))
    return Chart(title, points, f"{values[-1]:.3g}", f"{highest:.3g}")
