"""All of version 1, the busiest first: routes are tried in order."""

from fastapi import APIRouter

from app.api.v1 import admin_jobs, auth, health, items, users

router = APIRouter(prefix="/api/v1")
router.include_router(items.router)
router.include_router(users.router)
router.include_router(auth.router)
router.include_router(health.router)
router.include_router(admin_jobs.router)
