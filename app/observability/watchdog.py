"""A watchdog of the event loop: blocking code is logged with its stack while it blocks."""

import asyncio
import sys
import threading
import time
import traceback
from typing import Self

import structlog

log = structlog.get_logger(__name__)

BEATS_PER_LIMIT = 4


class EventLoopWatchdog(threading.Thread):
    """Watches the running loop, and logs once each time that it is blocked for longer than the limit."""

    def __init__(self, limit_seconds: float) -> None:
        """Watch the loop of the calling thread, during a `with` block."""
        super().__init__(name="event-loop-watchdog", daemon=True)
        self._limit_seconds = limit_seconds
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._stopped = threading.Event()
        self._last_beat = time.monotonic()

    def __enter__(self) -> Self:
        """Start the thread."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop the thread."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Schedule a callback several times within the limit, and check when the last one ran."""
        reported = 0.0
        while not self._stopped.wait(self._limit_seconds / BEATS_PER_LIMIT):
            last_beat = self._last_beat
            if time.monotonic() - last_beat > self._limit_seconds and last_beat != reported:
                reported = last_beat
                self._report()
            self._loop.call_soon_threadsafe(self._beat)

    def _beat(self) -> None:
        self._last_beat = time.monotonic()

    def _report(self) -> None:
        frame = sys._current_frames()[self._loop_thread]  # noqa: SLF001  documented in spite of its name
        stack = "".join(traceback.format_stack(frame))
        log.error("event loop blocked", seconds=self._limit_seconds, stack=stack)
