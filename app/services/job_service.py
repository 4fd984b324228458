"""Looking after the job queue."""

from dataclasses import dataclass

from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.types import JobId

from app.core.exceptions import NotFoundError
from app.core.refusals import JobNotFailedError
from app.core.security_log import SecurityEvent, record
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.queue import SessionDriver
from app.db.reader import Reader
from app.db.writer import Writer
from app.models.job import JOBS, JOBS_IN_STATE, JobRow, queue
from app.schemas.job import JobQuery
from app.services.principal import Principal


@dataclass(frozen=True, slots=True)
class JobReader:
    """Lists jobs; for administrators only, which the caller has checked."""

    session: Reader
    cursors: Cursors

    async def list(self, query: JobQuery) -> KeysetPage[JobRow]:
        """Read a page, oldest jobs first."""
        statement = JOBS if query.state is None else JOBS_IN_STATE
        order = Order(queue.c.id, queue.c.id, descending=False)
        is_filtered = query.state is not None
        keyset = Keyset(self.cursors, order, scope=f"jobs {query.state}", is_filtered=is_filtered)
        parameters = {} if query.state is None else {"state": query.state}
        return await keyset.page(self.session, statement, JobRow, parameters, limit=query.limit, cursor=query.cursor)


@dataclass(frozen=True, slots=True)
class JobService:
    """Requeues and cancels jobs; for administrators only, which the caller has checked."""

    session: Writer
    viewer: Principal

    async def requeue(self, job_id: int) -> None:
        """Give a failed job all its attempts again, or raise NotFoundError or JobNotFailedError."""
        if await self._lock(job_id) != "failed":
            raise JobNotFailedError
        await self._queries().requeue_jobs([JobId(job_id)])
        record(SecurityEvent.JOB_REQUEUED, user_id=self.viewer.user_id, job_id=str(job_id))

    async def cancel(self, job_id: int) -> None:
        """Remove a job, and interrupt it where it runs, or raise NotFoundError."""
        await self._lock(job_id)
        await self._queries().mark_job_as_cancelled([JobId(job_id)])
        record(SecurityEvent.JOB_CANCELLED, user_id=self.viewer.user_id, job_id=str(job_id))

    def _queries(self) -> Queries:
        return Queries(SessionDriver(self.session))

    async def _lock(self, job_id: int) -> str:
        statement = JOBS.where(queue.c.id == job_id).with_for_update(of=queue)
        job = (await self.session.execute(statement)).one_or_none()
        if job is None:
            raise NotFoundError
        return str(job.state)
