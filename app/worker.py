"""The job worker process."""

import asyncio
import signal
from pathlib import Path

import structlog

from app.core.config import Settings
from app.core.heartbeat import beat
from app.core.logging import toggle_debug
from app.db.database import Database
from app.jobs.runner import JobRunner, make_resources, running_jobs
from app.services.security_log_storage import storing_events

log = structlog.get_logger(__name__)


async def run_worker(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT; then finish the running jobs, within SHUTDOWN_TIMEOUT_SECONDS."""
    database = Database(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, toggle_debug, settings)
    heartbeat_file = Path(settings.worker_heartbeat_file)
    heartbeat = asyncio.create_task(beat(heartbeat_file))
    log.info("worker started", concurrency=settings.job_concurrency)
    try:
        async with (
            storing_events(database, settings.security_log_days),
            running_jobs(JobRunner(make_resources(settings, database))),
        ):
            await stopping.wait()
            log.info("worker stopping")
    finally:
        heartbeat.cancel()
        await asyncio.to_thread(heartbeat_file.unlink, missing_ok=True)
        await database.dispose()
    log.info("worker stopped")
