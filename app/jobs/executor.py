"""Run one attempt at a job, with logging, tracing and retries."""

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
"""The header that a trigger adds to a job whose worker stopped sending heartbeats."""


class WorkerLostError(Exception):
    """The worker that ran the job was killed, perhaps by the job."""


@contextmanager
def job_context(job: Job, attempt: int) -> Iterator[None]:
    """Add the job, and the request that enqueued it, to the logs and traces of a block."""
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
    """Runs a handler. A failure is retried according to the policy of the kind; then the job is kept as failed."""

    def __init__(self, parameters: EntrypointExecutorParameters, kind: JobKind, resources: Resources) -> None:
        """Run this kind of job with these resources."""
        super().__init__(parameters)
        self.kind = kind
        self.resources = resources

    async def execute(self, job: Job, context: Context) -> None:
        """Run the handler. Raises RetryRequested if it fails; at the last attempt, the exception of the handler.

        An attempt whose worker was lost counts as failed, so that a job that kills its worker ends after its attempts.
        """
        attempt = job.attempts + 1
        with job_context(job, attempt):
            try:
                await self._run(job, context, attempt)
            except asyncio.CancelledError as error:
                # The worker stops and has waited long enough: another worker runs the job immediately.
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
        """Remove a finished job immediately. pgqueuer does so in batches, and a crash before that would repeat them."""
        async with self.resources.database.unit_of_work() as db:
            status: JOB_STATUS = "canceled" if is_cancelled else "successful"
            await Queries(SessionDriver(db)).log_jobs([(job, status, None)])
        log.info("job cancelled" if is_cancelled else "job done")
