"""A file that is touched while an event loop turns: how a process without a port shows that it is alive."""

import asyncio
import time
from pathlib import Path

HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 15.0


def is_alive(path: Path) -> bool:
    """Return whether the file was touched lately."""
    return path.exists() and time.time() - path.stat().st_mtime < SILENCE_SECONDS


async def beat(path: Path) -> None:
    """Touch the file as long as the event loop turns."""
    while True:
        await asyncio.to_thread(path.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)
