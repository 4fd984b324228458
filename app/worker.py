"""The job process: same settings, same unit of work as the web."""

import asyncio
import signal
import time
from pathlib import Path

import structlog

from app.core.config import Settings
from app.core.logging import toggle_debug
from app.db.session import Database
from app.jobs.runner import JobRunner, make_resources, running_jobs

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
SILENCE_SECONDS = 15.0


def is_alive(settings: Settings) -> bool:
    """Tell whether a worker on this machine has touched its heartbeat file lately."""
    path = Path(settings.worker_heartbeat_file)
    return path.exists() and time.time() - path.stat().st_mtime < SILENCE_SECONDS


async def beat(path: Path) -> None:
    """Touch the file as long as the event loop turns."""
    while True:
        await asyncio.to_thread(path.touch)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def run_worker(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT; then finish what runs, within SHUTDOWN_TIMEOUT_SECONDS."""
    database = Database(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, toggle_debug, settings)
    heartbeat_file = Path(settings.worker_heartbeat_file)
    heartbeat = asyncio.create_task(beat(heartbeat_file))
    log.info("worker started", concurrency=settings.job_concurrency)
    try:
        async with running_jobs(JobRunner(make_resources(settings, database))):
            await stopping.wait()
            log.info("worker stopping")
    finally:
        heartbeat.cancel()
        await asyncio.to_thread(heartbeat_file.unlink, missing_ok=True)
        await database.dispose()
    log.info("worker stopped")
