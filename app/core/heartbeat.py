"""A heartbeat file: touched while an event loop runs, for processes without a port."""

import asyncio
import time
from pathlib import Path

HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 15.0


def is_alive(path: Path) -> bool:
    """Return whether the file was touched recently."""
    return path.exists() and time.time() - path.stat().st_mtime < SILENCE_SECONDS


async def beat(path: Path) -> None:
    """Touch the file while the event loop runs."""
    while True:
        await asyncio.to_thread(path.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)
