"""Background jobs, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.api.links import add_next_link
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.core.refusals import JobNotFailedError
from app.db.pagination import KeysetPage
from app.dependencies import Administrator, Db
from app.models.job import JobRow
from app.schemas.job import JobQuery, JobRead
from app.schemas.page import Page
from app.services.job_service import JobService


async def get_jobs(db: Db, user: Administrator) -> JobService:
    """Return the service that lists, requeues and cancels jobs."""
    return JobService(db, user)


Jobs = Annotated[JobService, Depends(get_jobs)]
JobFilter = Annotated[JobQuery, Query()]
JobId = Annotated[int, Path(description="The id of a job.", ge=1, le=2**63 - 1)]
router = APIRouter(prefix="/admin/jobs", tags=["admin"])


@router.get("", response_model=Page[JobRead])
async def list_jobs(jobs: Jobs, query: JobFilter, request: Request, response: Response) -> KeysetPage[JobRow]:
    """List jobs that wait, run, or have used all their attempts, oldest first."""
    return add_next_link(request, response, await jobs.list(query))


@router.post("/{job_id}/requeue", status_code=204, responses=problems(NotFoundError, JobNotFailedError))
async def requeue_job(jobs: Jobs, job_id: JobId) -> None:
    """Run a failed job again, and reset its attempts."""
    await jobs.requeue(job_id)


@router.delete("/{job_id}", status_code=204, responses=problems(NotFoundError))
async def cancel_job(jobs: Jobs, job_id: JobId) -> None:
    """Cancel a job. If it is running, it is interrupted."""
    await jobs.cancel(job_id)
