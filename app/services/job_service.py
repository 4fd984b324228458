"""The job queue, for administrators."""

from dataclasses import dataclass

from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.types import JobId
from sqlalchemy import select

from app.core.exceptions import NotFoundError
from app.core.refusals import JobNotFailedError
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.queue import SessionDriver
from app.db.session import Session
from app.models.job import JOBS, STATE, JobRow, log, queue, select_queue_state
from app.observability.security_log import SecurityEvent, record
from app.schemas.job import JobQuery
from app.services.principal import Principal

ORDER = SortOrder(queue.c.id, key=queue.c.id)


@dataclass(frozen=True, slots=True)
class JobService:
    """Lists, requeues and cancels jobs, for administrators."""

    db: Session
    caller: Principal

    async def list(self, query: JobQuery) -> KeysetPage[JobRow]:
        """Return one page of jobs, oldest first."""
        jobs = select(*JOBS)
        if query.state is not None:
            jobs = jobs.where(STATE == query.state)  # noqa: SIM300  a column, no constant
        return await paginate(self.db, jobs, ORDER, query)

    async def depth(self) -> dict[str, int]:
        """Return the number of jobs of each state."""
        return {row.state: row.jobs for row in (await self.db.execute(select_queue_state())).all()}

    async def failure(self, job_id: int) -> str | None:
        """Return the stack of the last failure of a job, or None."""
        query = select(log.c.traceback["traceback"].astext).where(log.c.job_id == job_id, log.c.traceback.is_not(None))
        return await self.db.scalar(query.order_by(log.c.id.desc()).limit(1))

    async def requeue(self, job_id: int) -> None:
        """Run a failed job again and reset its attempts; raise NotFoundError or JobNotFailedError."""
        if await self._lock(job_id) != "failed":
            raise JobNotFailedError
        await self._queries().requeue_jobs([JobId(job_id)])
        record(SecurityEvent.JOB_REQUEUED, user_id=self.caller.user_id, job_id=str(job_id))

    async def cancel(self, job_id: int) -> None:
        """Remove a job, and interrupt it if it is running; raise NotFoundError."""
        await self._lock(job_id)
        await self._queries().mark_job_as_cancelled([JobId(job_id)])
        record(SecurityEvent.JOB_CANCELLED, user_id=self.caller.user_id, job_id=str(job_id))

    def _queries(self) -> Queries:
        return Queries(SessionDriver(self.db))

    async def _lock(self, job_id: int) -> str:
        statement = select(*JOBS).where(queue.c.id == job_id).with_for_update(of=queue)
        job = (await self.db.execute(statement)).one_or_none()
        if job is None:
            raise NotFoundError
        return str(job.state)
