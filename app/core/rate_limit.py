"""Rate limits: counted in Redis or Valkey where there is one, in this process otherwise and while that is away."""

import time
from dataclasses import dataclass
from typing import Any, Self

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from app.core.config import Settings
from app.core.exceptions import TooManyRequestsError

log = structlog.get_logger(__name__)

BREAKER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` in any `seconds`; `name` tells limits apart in counters and in headers."""

    name: str
    amount: int
    seconds: int

    @property
    def item(self) -> RateLimitItem:
        """Give it as the library knows it."""
        return RateLimitItemPerSecond(self.amount, self.seconds, self.name)


class RateLimiter:
    """Counts hits. When the shared storage fails or is slow, this process counts alone for some seconds."""

    def __init__(self, shared: Storage | None, *, enabled: bool) -> None:
        """Count in `shared` where it is given; do nothing at all unless `enabled`."""
        self.enabled = enabled
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(shared) if shared else None
        self._retry_shared_at = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Use REDIS_URL, with a time limit on every command; nothing connects yet."""
        shared = None
        if settings.redis_url:
            shared = RedisStorage(
                f"async+{settings.redis_url.get_secret_value()}",
                implementation="redispy",
                socket_timeout=settings.redis_timeout_seconds,
                socket_connect_timeout=settings.redis_timeout_seconds,
            )
        return cls(shared, enabled=settings.rate_limit_enabled)

    async def close(self) -> None:
        """Close the connections to the shared storage."""
        if self._shared is not None and isinstance(self._shared.storage, RedisStorage):
            bridge: Any = self._shared.storage.bridge  # the client is behind it, and untyped
            await bridge.storage.aclose()

    async def hit(self, limit: Limit, key: str) -> None:
        """Count one hit, or raise TooManyRequestsError when the limit is reached."""
        if not self.enabled:
            return
        for limiter in self._limiters():
            try:
                allowed = await limiter.hit(limit.item, key)
                if not allowed:
                    reset, _ = await limiter.get_window_stats(limit.item, key)
                    raise TooManyRequestsError.after(reset - time.time(), limit.name, limit.amount, limit.seconds)
            except Exception as error:
                if isinstance(error, TooManyRequestsError) or limiter is self._local:
                    raise
                self._open_breaker(error)
            else:
                return

    async def clear(self, limit: Limit, key: str) -> None:
        """Forget the hits on this key."""
        for limiter in self._limiters() if self.enabled else ():
            try:
                await limiter.clear(limit.item, key)
            except Exception as error:  # noqa: BLE001  of whichever client library
                self._open_breaker(error)

    def _limiters(self) -> tuple[SlidingWindowCounterRateLimiter, ...]:
        if self._shared is None or time.monotonic() < self._retry_shared_at:
            return (self._local,)
        return (self._shared, self._local)

    def _open_breaker(self, error: Exception) -> None:
        self._retry_shared_at = time.monotonic() + BREAKER_SECONDS
        log.warning("rate limits are counted in this process", error=repr(error), seconds=BREAKER_SECONDS)
