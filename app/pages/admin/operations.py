"""Sessions, jobs, the security log, settings, and the lists of resources."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from app.api.v1.admin_jobs import JobId
from app.core.config import setting_sources
from app.core.exceptions import NotFoundError
from app.dependencies import Db, Paging
from app.observability.security_log import STORED_EVENTS
from app.pages.admin.listings import listings, title_of
from app.pages.admin.page import Admin, SearchForm
from app.pages.html import PageRoute
from app.schemas.job import JobQuery
from app.schemas.security_log import SecurityLogQuery
from app.services.job_service import JobService
from app.services.listing_service import ListingService
from app.services.security_log_service import SecurityLogService
from app.services.session_admin_service import SessionAdminService
from app.state import state_of

router = APIRouter(prefix="/admin", include_in_schema=False, route_class=PageRoute)
JobFilter = Annotated[JobQuery, Query()]


class SecurityLogSearch(SearchForm, SecurityLogQuery):
    """The search form of the security log."""


SecurityLogFilter = Annotated[SecurityLogSearch, Query()]


@router.get("/sessions")
async def list_sessions(admin: Admin, db: Db, query: Paging) -> HTMLResponse:
    """List the live sessions of all accounts."""
    page = await SessionAdminService(db, admin.user).list(query)
    return admin.render("admin/sessions.html", "sessions", page=page)


@router.post("/sessions/{session_id}/end")
async def end_session(admin: Admin, db: Db, session_id: UUID) -> RedirectResponse:
    """End a session."""
    await SessionAdminService(db, admin.user).revoke(session_id)
    return admin.redirect("/admin/sessions")


@router.get("/jobs")
async def list_jobs(admin: Admin, db: Db, query: JobFilter) -> HTMLResponse:
    """List the jobs that wait, run or have failed, and how many there are."""
    jobs = JobService(db, admin.user)
    page, depth = await jobs.list(query), await jobs.depth()
    return admin.render("admin/jobs.html", "jobs", page=page, depth=depth, query=query)


@router.get("/jobs/{job_id}")
async def show_failure(admin: Admin, db: Db, job_id: JobId) -> HTMLResponse:
    """Show the stack of the last failure of a job."""
    failure = await JobService(db, admin.user).failure(job_id)
    return admin.render("admin/job.html", "jobs", job_id=job_id, failure=failure)


@router.post("/jobs/{job_id}/requeue")
async def requeue_job(admin: Admin, db: Db, job_id: JobId) -> RedirectResponse:
    """Run a failed job again."""
    await JobService(db, admin.user).requeue(job_id)
    return admin.redirect("/admin/jobs")


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(admin: Admin, db: Db, job_id: JobId) -> RedirectResponse:
    """Remove a job."""
    await JobService(db, admin.user).cancel(job_id)
    return admin.redirect("/admin/jobs")


@router.get("/security-log")
async def list_events(admin: Admin, db: Db, query: SecurityLogFilter) -> HTMLResponse:
    """List the events of accounts, newest first."""
    page = await SecurityLogService(db, admin.user).list(query)
    days = state_of(admin.request)["settings"].security_log_days
    return admin.render(
        "admin/security_log.html", "security-log", page=page, query=query, events=STORED_EVENTS, days=days
    )


@router.get("/settings")
async def show_settings(admin: Admin) -> HTMLResponse:
    """Show the settings in force, with secrets masked."""
    sources = setting_sources()
    rows = [
        (name.upper(), str(value), sources.get(name, "default")) for name, value in state_of(admin.request)["settings"]
    ]
    return admin.render("admin/settings.html", "settings", rows=rows)


@router.get("/{name}")
async def list_rows(admin: Admin, db: Db, name: str, query: Paging) -> HTMLResponse:
    """List the rows of a resource."""
    listing = listings().get(name)
    if listing is None:
        raise NotFoundError
    page = await ListingService(db, admin.user).list(listing.model, listing.order, query)
    return admin.render("admin/listing.html", name, page=page, listing=listing, title=title_of(name))
