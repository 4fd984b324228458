"""Rate limits, counted in Redis or Valkey, or in the process if there is none or it is unavailable."""

import math
import time
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple, Self

import structlog

from app.core.config import Settings
from app.core.exceptions import TooManyRequestsError
from app.observability.metrics import Metrics
from app.ratelimit.counters import Count, HitCounter, Limit, LocalHitCounter, SharedCounterError, Window

log = structlog.get_logger(__name__)

BREAKER_SECONDS = 5.0
IPV6_NETWORK_BITS = 64


class Usage(NamedTuple):
    """The remaining hits of a limit, and the seconds until it resets."""

    limit: Limit
    remaining: int
    seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a response (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"{self.limit.name}";q={self.limit.amount};w={self.limit.seconds}',
            "RateLimit": f'"{self.limit.name}";r={self.remaining};t={self.seconds}',
        }


@lru_cache(maxsize=4096)
def address_key(address: str | None) -> str:
    """Return the counter key of an address: IPv4, or the /64 network of IPv6, which usually belongs to one customer."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or int(parsed) >> (128 - IPV6_NETWORK_BITS))
    return str(parsed)


def wait_seconds(limit: Limit, count: Count, window: Window) -> float:
    """Return the seconds until the next hit is allowed."""
    room = limit.amount - 1
    if count.current <= room:
        return limit.seconds * (1 - (room - count.current) / count.previous) - window.elapsed
    return limit.seconds * (2 - room / count.current) - window.elapsed


class RateLimiter:
    """Counts hits. If the shared counter fails or is slow, the process counts by itself for some seconds."""

    def __init__(self, shared: HitCounter | None, metrics: Metrics, *, enabled: bool) -> None:
        """Count in `shared` if it is given; do nothing unless `enabled`."""
        self.enabled = enabled
        self._metrics = metrics
        self._local = LocalHitCounter()
        self._shared = shared
        self._shared_is_unavailable = False
        self._retry_shared_at = 0.0

    @classmethod
    def from_settings(cls, settings: Settings, metrics: Metrics) -> Self:
        """Use REDIS_URL, with a timeout for every command. Nothing connects yet."""
        shared = None
        if settings.redis_url:
            from app.ratelimit.shared_counter import SharedHitCounter  # noqa: PLC0415  8 MiB that most do without

            shared = SharedHitCounter(settings.redis_url.get_secret_value(), settings.redis_timeout_seconds)
        return cls(shared, metrics, enabled=settings.rate_limit_enabled)

    async def close(self) -> None:
        """Close the connections to the shared counter."""
        if self._shared is not None:
            await self._shared.close()

    async def hit(self, limit: Limit, key: str) -> Usage | None:
        """Count a hit and return what remains, None if limits are off; raise TooManyRequestsError at the limit."""
        if not self.enabled:
            return None
        window = Window.now(limit)
        counter = self._counter()
        try:
            count = await counter.hit(limit, key, window)
            self._note_answer(counter)
        except SharedCounterError as error:
            self._open_breaker(error)
            count = await self._local.hit(limit, key, window)
        if not count.is_allowed:
            self._metrics.limits.labels(limit.name).inc()
            wait = max(1, math.ceil(wait_seconds(limit, count, window)))
            raise TooManyRequestsError.after(wait, Usage(limit, 0, wait).headers)
        used = count.previous * window.weight_of_previous(limit) + count.current
        return Usage(limit, max(0, int(limit.amount - used)), math.ceil(limit.seconds - window.elapsed))

    async def clear(self, limit: Limit, key: str) -> None:
        """Forget the hits on this key."""
        window = Window.now(limit)
        await self._local.clear(limit, key, window)
        try:
            await self._counter().clear(limit, key, window)
        except SharedCounterError as error:
            self._open_breaker(error)

    async def refund(self, limit: Limit, key: str) -> None:
        """Remove one hit."""
        try:
            await self._counter().refund(limit, key, Window.now(limit))
        except SharedCounterError as error:
            self._open_breaker(error)

    def _counter(self) -> HitCounter:
        now = time.monotonic()
        if self._shared is None or now < self._retry_shared_at:
            return self._local
        if self._shared_is_unavailable:  # One request tries; the others count locally until it succeeds.
            self._retry_shared_at = now + BREAKER_SECONDS
        return self._shared

    def _note_answer(self, counter: HitCounter) -> None:
        if self._shared_is_unavailable and counter is self._shared:
            self._shared_is_unavailable, self._retry_shared_at = False, 0.0
            log.info("rate limits are shared again")

    def _open_breaker(self, error: Exception) -> None:
        self._retry_shared_at = time.monotonic() + BREAKER_SECONDS
        if not self._shared_is_unavailable:
            self._shared_is_unavailable = True
            self._metrics.limits_alone.inc()
            log.warning("rate limits are counted in this process", error=str(error), seconds=BREAKER_SECONDS)
