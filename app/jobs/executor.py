"""One attempt at a job: context for the logs, and what becomes of a failure."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from pgqueuer.domain.types import JOB_STATUS
from pgqueuer.executors import EntrypointExecutor, EntrypointExecutorParameters

from app.db.queue import SessionDriver
from app.jobs.kinds import JobContext, JobKind, Resources

log = structlog.get_logger(__name__)

LOST = "lost"
"""The header that a trigger adds to a job that is picked again, because its worker stopped sending heartbeats."""


class WorkerLostError(Exception):
    """The worker that ran the job was killed, perhaps by the job."""


@contextmanager
def job_context(job: Job, attempt: int) -> Iterator[None]:
    """Trace and log what happens in a block as part of a job, and of the request that enqueued it."""
    headers = job.headers or {}
    fields = {"job_id": job.id, "job_kind": job.entrypoint, "attempt": attempt, "request_id": headers.get("request_id")}
    tracer = trace.get_tracer("app.jobs")
    parent = propagate.extract(headers)
    with (
        tracer.start_as_current_span(f"job {job.entrypoint}", parent, SpanKind.CONSUMER),
        structlog.contextvars.bound_contextvars(**fields),
    ):
        yield


class JobExecutor(EntrypointExecutor):
    """Runs a handler; a failure is retried by the kind's policy, and then the job is kept as failed."""

    def __init__(self, parameters: EntrypointExecutorParameters, kind: JobKind, resources: Resources) -> None:
        """Run this kind of job with these resources."""
        super().__init__(parameters)
        self.kind = kind
        self.resources = resources

    async def execute(self, job: Job, context: Context) -> None:
        """Run the handler, or raise RetryRequested, or at the last attempt whatever the handler raised.

        An attempt whose worker was lost counts as failed, so that a job that kills its worker ends after its attempts.
        """
        attempt = job.attempts + 1
        with job_context(job, attempt):
            try:
                await self._run(job, context, attempt)
            except asyncio.CancelledError as error:
                # The worker stops and has waited long enough: the job is another worker's, at once.
                log.warning("job interrupted")
                raise RetryRequested(timedelta(0), "the worker stopped") from error
            except Exception as error:
                if attempt >= self.kind.retry.maximum_attempts:
                    log.exception("job failed for good")
                    raise
                delay = self.kind.retry.delay_after(attempt)
                log.warning("job failed", error=repr(error), retry_in_seconds=round(delay.total_seconds(), 1))
                raise RetryRequested(delay, repr(error)) from error

    async def _run(self, job: Job, context: Context, attempt: int) -> None:
        if (job.headers or {}).get(LOST):
            raise WorkerLostError("the worker that ran the job was lost")
        # An administrator's cancel interrupts the handler here.
        with context.cancellation:
            payload = self.kind.payload.model_validate_json(job.payload or b"{}")
            await self.kind.handler(payload, JobContext(job.id, attempt, self.resources))
        await self._acknowledge(job, is_cancelled=context.cancellation.cancel_called)

    async def _acknowledge(self, job: Job, *, is_cancelled: bool) -> None:
        """Remove a job that is done. pgqueuer does so in batches: after a crash before that, they would run again."""
        async with self.resources.database.unit_of_work() as db:
            status: JOB_STATUS = "canceled" if is_cancelled else "successful"
            await Queries(SessionDriver(db)).log_jobs([(job, status, None)])
        log.info("job cancelled" if is_cancelled else "job done")
