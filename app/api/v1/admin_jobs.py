"""The job queue, for administrators."""

from fastapi import APIRouter, Request, Response

from app.api.links import linked
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.core.refusals import JobNotFailedError
from app.db.pagination import KeysetPage
from app.dependencies import JobFilter, JobIdPath, Jobs
from app.models.job import JobRow
from app.schemas.job import JobRead
from app.schemas.page import Page

router = APIRouter(prefix="/admin/jobs", tags=["admin"])


@router.get("", response_model=Page[JobRead])
async def list_jobs(jobs: Jobs, query: JobFilter, request: Request, response: Response) -> KeysetPage[JobRow]:
    """List jobs that wait, run or have failed for good, oldest first."""
    return linked(request, response, await jobs.list(query))


@router.post("/{job_id}/requeue", status_code=204, responses=problems(NotFoundError, JobNotFailedError))
async def requeue_job(jobs: Jobs, job_id: JobIdPath) -> None:
    """Give a failed job all its attempts again."""
    await jobs.requeue(job_id)


@router.delete("/{job_id}", status_code=204, responses=problems(NotFoundError))
async def cancel_job(jobs: Jobs, job_id: JobIdPath) -> None:
    """Remove a job; where it runs it is interrupted."""
    await jobs.cancel(job_id)
