"""One attempt at a job: context for the logs, and what becomes of a failure."""

import asyncio
from datetime import timedelta

import structlog
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from pgqueuer.executors import EntrypointExecutor, EntrypointExecutorParameters

from app.jobs.kinds import JobContext, JobKind, Resources

log = structlog.get_logger(__name__)


class JobExecutor(EntrypointExecutor):
    """Runs a handler; a failure is retried by the kind's policy, and then the job is kept as failed."""

    def __init__(self, parameters: EntrypointExecutorParameters, kind: JobKind, resources: Resources) -> None:
        """Run this kind of job with these resources."""
        super().__init__(parameters)
        self.kind = kind
        self.resources = resources

    async def execute(self, job: Job, context: Context) -> None:
        """Run the handler, or raise RetryRequested, or at the last attempt whatever the handler raised."""
        attempt = job.attempts + 1
        trace_context = propagate.extract(job.headers or {})
        span = trace.get_tracer("app.jobs").start_as_current_span(
            f"job {job.entrypoint}", trace_context, SpanKind.CONSUMER
        )
        with (
            span,
            structlog.contextvars.bound_contextvars(
                job_id=job.id,
                job_kind=job.entrypoint,
                attempt=attempt,
                request_id=(job.headers or {}).get("request_id"),
            ),
        ):
            try:
                # An administrator's cancel interrupts the handler here.
                with context.cancellation:
                    payload = self.kind.payload.model_validate_json(job.payload or b"{}")
                    await self.kind.handler(payload, JobContext(job.id, attempt, self.resources))
                log.info("job done" if not context.cancellation.cancel_called else "job cancelled")
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
