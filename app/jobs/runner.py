"""Run jobs and schedules until stopped; reconnect when the database was unavailable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.domain.models import Schedule as DueSchedule

from app.core.config import Settings
from app.db.database import Database
from app.jobs.executor import JobExecutor
from app.jobs.kinds import JobKind, Resources, Schedule
from app.jobs.registry import KINDS, SCHEDULES
from app.mail.mailer import make_mailer
from app.mail.message import MessageFactory

log = structlog.get_logger(__name__)

BATCH_SIZE = 10
POLL_INTERVAL = timedelta(seconds=5)
LONGEST_PAUSE_SECONDS = 10.0
CONNECTIONS = 3  # one to listen, one to fetch, one for heartbeats


class JobRunner:
    """The main loop of a worker. After `stop` it takes no new jobs and finishes the running ones."""

    def __init__(
        self,
        resources: Resources,
        kinds: Sequence[JobKind] = KINDS,
        schedules: Sequence[Schedule] = SCHEDULES,
    ) -> None:
        """Prepare the runner. Nothing connects yet."""
        self.resources = resources
        self.kinds = kinds
        self.schedules = schedules
        self._stopping = asyncio.Event()
        self._is_reported = False

    def stop(self) -> None:
        """Stop after the running jobs; waiting jobs are left for other workers."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until stopped. Connection errors are logged and retried with backoff."""
        pause = 0.5
        while not self._stopping.is_set():
            try:
                await self._run_connected()
                pause = 0.5
            except Exception as error:  # noqa: BLE001  a worker has no caller that could do better
                log.warning("job queue unavailable", error=repr(error), retry_in_seconds=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _run_connected(self) -> None:
        settings = self.resources.settings
        connect = self.resources.database.connect_directly
        is_pooled = await connect.is_pooled()
        if is_pooled and not self._is_reported:
            log.warning("jobs are polled for", reason="DATABASE_URL leads through a pooler: set DATABASE_DIRECT_URL")
            self._is_reported = True

        async def open_connection(*_: object, **__: object) -> asyncpg.Connection:
            return await connect()

        # All connections are opened at the start: pgqueuer sends itself a notification immediately, and would miss it
        # while
        # the listening connection is being opened.
        async with asyncpg.create_pool(min_size=CONNECTIONS, max_size=CONNECTIONS, connect=open_connection) as pool:
            queuer = PgQueuer.from_asyncpg_pool(pool)
            self._register(queuer)
            forwarding = asyncio.create_task(self._forward_stop(queuer))
            try:
                await queuer.run(
                    dequeue_timeout=POLL_INTERVAL,
                    batch_size=min(BATCH_SIZE, settings.job_concurrency // 2),
                    max_concurrent_tasks=settings.job_concurrency,
                    heartbeat_timeout=timedelta(seconds=settings.job_heartbeat_timeout_seconds),
                    shutdown_on_listener_failure=not is_pooled,
                )
            finally:
                forwarding.cancel()

    async def _forward_stop(self, queuer: PgQueuer) -> None:
        await self._stopping.wait()
        queuer.shutdown.set()

    def _register(self, queuer: PgQueuer) -> None:
        for kind in self.kinds:
            executor = partial(JobExecutor, kind=kind, resources=self.resources)
            queuer.entrypoint(kind.payload.kind, on_failure="hold", executor_factory=executor)(unreachable)
        for schedule in self.schedules:
            queuer.schedule(schedule.name, schedule.cron)(partial(run_schedule, schedule, self.resources))


async def unreachable(_: object) -> None:
    """Do nothing: pgqueuer requires a function, and JobExecutor calls the handler."""


async def run_schedule(schedule: Schedule, resources: Resources, _: DueSchedule) -> None:
    """Run the action of a schedule. A failure is logged; the action runs again at the next time."""
    with structlog.contextvars.bound_contextvars(schedule=schedule.name):
        log.info("schedule due")
        await schedule.action(resources)


def make_resources(settings: Settings, database: Database) -> Resources:
    """Return the resources of handlers."""
    messages = MessageFactory.create(
        sender=settings.mail_from, project_name=settings.project_name, link_base=settings.link_base
    )
    return Resources(settings, database, make_mailer(settings), messages)


@contextlib.asynccontextmanager
async def running_jobs(runner: JobRunner) -> AsyncIterator[None]:
    """Run jobs during a block. At its end running jobs finish within SHUTDOWN_TIMEOUT_SECONDS.

    Those that take longer are interrupted and returned to the queue.
    """
    running = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await asyncio.wait({running}, timeout=runner.resources.settings.shutdown_timeout_seconds)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
