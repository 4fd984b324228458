"""An open-loop load: requests are sent on time, whether or not earlier ones were answered, and recorded."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

LOST = 0
"""The status of a request without a response."""
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was sent, how long it took, and its status."""

    is_write: bool
    sent: float
    seconds: float
    status: int
    retry_after: str | None = None
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Return whether the request succeeded."""
        return self.status in (200, 201, 204)


@dataclass
class Load:
    """The requests and responses. The titles of notes are the journal of acknowledged writes."""

    client: httpx2.AsyncClient
    headers: dict[str, str]
    name: str
    samples: list[Sample] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def write(self) -> Sample:
        """Create a note."""
        title = f"{self.name} {next(self._numbers)}"
        sample = await self._send("POST", "/api/v1/notes", json={"title": title})
        (self.acknowledged if sample.is_success else self.refused).add(title)
        return sample

    async def read(self) -> Sample:
        """List a few notes."""
        return await self._send("GET", "/api/v1/notes?limit=5")

    async def _send(self, method: str, path: str, **options: Any) -> Sample:  # noqa: ANN401  passed on
        sent = time.monotonic()
        is_write = method == "POST"
        try:
            answer = await self.client.request(method, path, headers=self.headers, **options)
        except httpx2.HTTPError as error:
            sample = Sample(is_write, sent, time.monotonic() - sent, LOST, error=repr(error))
        else:
            retry_after = answer.headers.get("retry-after")
            sample = Sample(is_write, sent, time.monotonic() - sent, answer.status_code, retry_after)
        self.samples.append(sample)
        return sample

    def statuses(self, *, writes: bool | None = None) -> Counter[int]:
        """Count the responses by status."""
        return Counter(sample.status for sample in self.samples if writes in (None, sample.is_write))

    def p99(self) -> float:
        """Return the 99th percentile of all responses, in seconds."""
        ordered = sorted(sample.seconds for sample in self.samples)
        return ordered[len(ordered) * 99 // 100] if ordered else 0.0

    def last_failure(self) -> float:
        """Return when the last failed request was sent."""
        return max((sample.sent for sample in self.samples if not sample.is_success), default=0.0)


@asynccontextmanager
async def running(address: str, token: str, name: str, rate: float) -> AsyncIterator[Load]:
    """Send `rate` requests a second until the block ends, half of them writes; then wait for all responses.

    With a rate of 0 only the block sends requests.
    """
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=PATIENCE_SECONDS) as client:
        load = Load(client, {"Authorization": f"Bearer {token}"}, name)
        requests: set[asyncio.Task[Sample]] = set()

        async def send_all() -> None:
            started = time.monotonic()
            for number in itertools.count() if rate else ():
                await asyncio.sleep(started + number / rate - time.monotonic())
                task = asyncio.create_task(load.write() if number % 2 else load.read())
                requests.add(task)
                task.add_done_callback(requests.discard)

        sending = asyncio.create_task(send_all())
        try:
            yield load
        finally:
            sending.cancel()
            await asyncio.gather(sending, *requests, return_exceptions=True)
