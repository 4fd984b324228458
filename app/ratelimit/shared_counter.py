"""A counter of all processes, in Redis or Valkey. Imported only if configured: the client takes 8 MiB."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.ratelimit.counters import Count, Limit, SharedCounterError, Window

COUNT = """
local previous = tonumber(redis.call('GET', KEYS[1]) or '0')
local current = tonumber(redis.call('GET', KEYS[2]) or '0')
if previous * tonumber(ARGV[1]) + current + 1 > tonumber(ARGV[2]) then
    return {previous, current, 0}
end
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return {previous, current + 1, 1}
"""

REFUND = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then
    redis.call('DECR', KEYS[1])
end
"""


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise SharedCounterError(repr(error)) from error


class SharedHitCounter:
    """Counts in Redis or Valkey, in one round trip."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Use this URL and this timeout for every command. Nothing connects yet."""
        self._client = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # No retry: the caller counts locally instead.
            retry=Retry(NoBackoff(), 0),
        )
        self._count = self._client.register_script(COUNT)
        self._refund = self._client.register_script(REFUND)

    async def hit(self, limit: Limit, key: str, window: Window) -> Count:
        """Count a hit, if the limit allows it."""
        arguments = [window.weight_of_previous(limit), limit.amount, 2 * limit.seconds]
        with _server_errors():
            previous, current, is_allowed = await self._count(self._keys(limit, key, window), arguments)
        return Count(previous, current, bool(is_allowed))

    async def clear(self, limit: Limit, key: str, window: Window) -> None:
        """Forget the hits on this key."""
        with _server_errors():
            await self._client.delete(*self._keys(limit, key, window))

    async def refund(self, limit: Limit, key: str, window: Window) -> None:
        """Remove one hit of the current window, if there is one."""
        with _server_errors():
            await self._refund(self._keys(limit, key, window)[1:])

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @staticmethod
    def _keys(limit: Limit, key: str, window: Window) -> list[str]:
        # The braces keep both on one node of a cluster.
        return [f"{{{limit.name}:{key}}}:{number}" for number in (window.number - 1, window.number)]
