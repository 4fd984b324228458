"""The watchdog of the event loop."""

import asyncio
import time

import pytest

from app.observability.watchdog import EventLoopWatchdog


async def test_what_blocks_the_loop_is_logged_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    """Each block is logged once."""

    def culprit() -> None:
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            pass

    with EventLoopWatchdog(0.1):
        await asyncio.sleep(0.05)
        culprit()
        await asyncio.sleep(0.05)
    reports = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert [report["event"] for report in reports] == ["event loop blocked"]
    assert "culprit" in reports[0]["stack"]


async def test_a_loop_that_turns_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged."""
    with EventLoopWatchdog(5):
        await asyncio.sleep(0.05)
    assert caplog.records == []
