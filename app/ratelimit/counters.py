"""Sliding windows of hits: what they are, and a count of this process.

Hits are counted in fixed windows; the window before weighs as much as the sliding window still covers of it. That
takes two numbers a key, and the error is small unless hits within a window are very uneven. A library does the same
with two round trips, and in memory with work for every hit that grows with the number of callers.
"""

import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` in any `seconds`; `name` tells limits apart in counters and in headers."""

    name: str
    amount: int
    seconds: int


class Window(NamedTuple):
    """A moment in the fixed windows of a limit."""

    number: int
    elapsed: float
    """Seconds since it began."""

    @classmethod
    def now(cls, limit: Limit) -> Self:
        """Look at the clock, which all processes share."""
        number, elapsed = divmod(time.time(), limit.seconds)
        return cls(int(number), elapsed)

    def weight_of_previous(self, limit: Limit) -> float:
        """Tell how much of the window before the sliding window still covers."""
        return 1 - self.elapsed / limit.seconds


class Count(NamedTuple):
    """The hits on a key in the window before and in this one, and whether another was allowed."""

    previous: int
    current: int
    is_allowed: bool


class SharedCounterError(Exception):
    """The counter that processes share does not answer."""


class HitCounter(Protocol):
    """Counts hits; raises SharedCounterError where it cannot."""

    async def hit(self, limit: Limit, key: str, window: Window) -> Count:
        """Count one more, if the limit allows it."""

    async def clear(self, limit: Limit, key: str, window: Window) -> None:
        """Forget the hits on this key."""

    async def refund(self, limit: Limit, key: str, window: Window) -> None:
        """Take one hit of this window back, if there is one."""

    async def close(self) -> None:
        """Close its connections."""


class LocalHitCounter:
    """Counts in this process. Two dictionaries a limit, of which the older is dropped whole: nothing to clean up."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._windows: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {}

    async def hit(self, limit: Limit, key: str, window: Window) -> Count:
        """Count one more, if the limit allows it."""
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
        """Take one hit of this window back, if there is one."""
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
