"""All of version 2."""

from fastapi import APIRouter

from app.api.v2 import users

router = APIRouter(prefix="/api/v2")
router.include_router(users.router)
