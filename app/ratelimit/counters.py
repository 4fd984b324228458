"""Sliding windows, and a counter in the process.

Hits are counted in fixed windows; the previous window counts with the part that the sliding window still covers. That
needs two numbers for each key, and the error is small unless hits are very uneven. Decision 6 says why this is not a
library.
"""

import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` in any `seconds`; `name` identifies the limit in counters and headers."""

    name: str
    amount: int
    seconds: int


class Window(NamedTuple):
    """The current fixed window of a limit."""

    number: int
    elapsed: float
    """Seconds since it began."""

    @classmethod
    def now(cls, limit: Limit) -> Self:
        """Return the current window, by the clock that all processes share."""
        number, elapsed = divmod(time.time(), limit.seconds)
        return cls(int(number), elapsed)

    def weight_of_previous(self, limit: Limit) -> float:
        """Return the part of the previous window that the sliding window still covers."""
        return 1 - self.elapsed / limit.seconds


class Count(NamedTuple):
    """The hits on a key in the previous and the current window, and whether this one was allowed."""

    previous: int
    current: int
    is_allowed: bool


class SharedCounterError(Exception):
    """The shared counter does not respond."""


class HitCounter(Protocol):
    """Counts hits; raises SharedCounterError if it cannot."""

    async def hit(self, limit: Limit, key: str, window: Window) -> Count:
        """Count a hit, if the limit allows it."""

    async def clear(self, limit: Limit, key: str, window: Window) -> None:
        """Forget the hits on this key."""

    async def refund(self, limit: Limit, key: str, window: Window) -> None:
        """Remove one hit of the current window, if there is one."""

    async def close(self) -> None:
        """Close its connections."""


class LocalHitCounter:
    """Counts in this process, in two dictionaries for each limit; the older one is dropped as a whole."""

    def __init__(self) -> None:
        """Start without counts."""
        self._windows: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {}

    async def hit(self, limit: Limit, key: str, window: Window) -> Count:
        """Count a hit, if the limit allows it."""
        before, now = self._counts(limit, window)
        previous, current = before.get(key, 0), now.get(key, 0)
        if previous * window.weight_of_previous(limit) + current + 1 > limit.amount:
            return Count(previous, current, is_allowed=False)
        now[key] = current + 1
        return Count(previous, current + 1, is_allowed=True)

    async def clear(self, limit: Limit, key: str, window: Window) -> None:
        """Forget the hits on this key."""
        for counts in self._counts(limit, window):
            counts.pop(key, None)

    async def refund(self, limit: Limit, key: str, window: Window) -> None:
        """Remove one hit of the current window, if there is one."""
        _, now = self._counts(limit, window)
        if now.get(key):
            now[key] -= 1

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _counts(self, limit: Limit, window: Window) -> tuple[dict[str, int], dict[str, int]]:
        number, before, now = self._windows.get(limit.name, (window.number, {}, {}))
        if window.number > number:
            before, now = (now if window.number == number + 1 else {}), {}
        self._windows[limit.name] = (window.number, before, now)
        return before, now
