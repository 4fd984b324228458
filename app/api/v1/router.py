"""All of version 1, the busiest first: routes are tried in order."""

from fastapi import APIRouter

from app.api.v1 import admin_jobs, auth, browser_sessions, health, items, users

PREFIX = "/api/v1"
router = APIRouter()
# Not `include_router`: FastAPI searches each router that is included in another twice more for every request.
for part in (items, users, auth, health, admin_jobs, browser_sessions):
    router.routes.extend(part.router.routes)
