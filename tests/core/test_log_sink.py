"""The log handler, which never blocks."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from app.core.config import Settings
from app.core.log_sink import BUFFERED_LINES, NonBlockingHandler
from tests.test_server import running


def record(message: str) -> logging.LogRecord:
    """Return a record with this message."""
    return logging.LogRecord("test", logging.INFO, "", 0, message, None, None)


def test_a_blocked_log_output_does_not_block_requests_and_the_newest_lines_are_kept() -> None:
    """The output is a full pipe; when it is read again, the number of dropped lines is logged."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        handler = NonBlockingHandler(stream)
        count = 3 * BUFFERED_LINES
        started = time.monotonic()
        for number in range(count):
            handler.emit(record(f"{number:>100}"))
        handler.flush()
        assert time.monotonic() - started < 10
        kept: list[int] = []
        dropped = 0
        while len(kept) + dropped < count:
            line = reader.readline()
            if "dropped" in line:
                dropped += json.loads(line)["count"]
            else:
                kept.append(int(line))
    assert dropped > 0
    assert kept == sorted(kept)
    assert kept[-1] == count - 1


def test_lines_come_in_order_and_the_last_ones_too() -> None:
    """Pending lines are written when the process ends."""
    program = (
        "import logging, sys; from app.core.log_sink import NonBlockingHandler; "
        "log = logging.getLogger(); log.addHandler(NonBlockingHandler(sys.stdout)); "
        "[log.warning(str(n)) for n in range(1000)]"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(number) for number in range(1000)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_writes_its_own_lines_only() -> None:
    """Pending lines of the parent are not written twice."""
    program = (
        "import logging, os, sys; from app.core.log_sink import NonBlockingHandler; "
        "log = logging.getLogger(); log.addHandler(NonBlockingHandler(sys.stdout)); "
        "log.warning('parent'); pid = os.fork(); log.warning('child') if pid == 0 else os.waitpid(pid, 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["child", "parent"]


def test_the_level_changes_while_the_process_runs(settings: Settings, tmp_path: Path) -> None:
    """SIGUSR1 turns debug messages on and off in every worker."""
    output = tmp_path / "output"
    with running(settings, tmp_path, WEB_CONCURRENCY="2", LOG_LEVEL="WARNING") as (port, process):
        for level in ("DEBUG", "WARNING"):
            process.send_signal(signal.SIGUSR1)
            while output.read_text().count(f"log_level={level}") < 2:
                time.sleep(0.02)
        assert httpx2.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
