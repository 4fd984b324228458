"""A non-blocking log handler: a pipe that is not read must not block requests."""

import atexit
import logging
import os
import threading
import time
from collections import deque
from typing import TextIO

BUFFERED_LINES = 10_000
PAUSE_SECONDS = 0.05
LAST_WORDS_SECONDS = 1.0


class NonBlockingHandler(logging.Handler):
    """Passes lines to a thread that writes them in batches. If the output blocks, the oldest are dropped and counted.

    Not logging's QueueHandler, which wakes its thread for each record and blocks or fails if its queue is full. The
    thread starts with the first line of a process, because threads do not survive a fork.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream."""
        super().__init__()
        self._stream = stream
        self._lines: deque[str] = deque(maxlen=BUFFERED_LINES)
        self._dropped = 0
        self._process = 0
        self._writing = threading.Lock()
        atexit.register(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record and pass it to the thread."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  as the standard library's handlers do
            self.handleError(record)
            return
        self.write(line)

    def write(self, line: str) -> None:
        """Pass a line to the thread."""
        if len(self._lines) == BUFFERED_LINES:
            self._dropped += 1
        self._lines.append(line)
        if self._process != os.getpid():
            self._start()

    def flush(self) -> None:
        """Write the waiting lines; give up after a second if the output blocks."""
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        while self._lines and self._process == os.getpid() and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS / 5)
        if self._writing.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._writing.release()

    def _start(self) -> None:
        if self._process:  # After a fork the parent writes the waiting lines.
            self._lines = deque([self._lines[-1]], BUFFERED_LINES)
        self._process = os.getpid()
        self._writing = threading.Lock()
        threading.Thread(target=self._write_forever, name="log-sink", daemon=True).start()

    def _write_forever(self) -> None:
        while True:
            with self._writing:
                self._write_waiting()
            time.sleep(PAUSE_SECONDS)

    def _write_waiting(self) -> None:
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        if self._dropped:
            lines.append(f'{{"event": "log lines dropped", "level": "warning", "count": {self._dropped}}}')
            self._dropped = 0
        if lines:
            try:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # The output is closed: there is nowhere to report it.
                pass


class SinkLogger:
    """A logger for structlog that writes to the handler directly: half the CPU of a record of the standard library."""

    def __init__(self, name: str, sink: NonBlockingHandler) -> None:
        """Use this name; the level is that of the root logger."""
        self.name = name
        self.disabled = False
        self._sink = sink
        self.getEffectiveLevel = logging.getLogger(name).getEffectiveLevel

    def write(self, line: str) -> None:
        """Write a rendered line."""
        self._sink.write(line)

    debug = info = warning = error = critical = exception = write
