"""All of version 2."""

from fastapi import APIRouter

from app.api.v2 import users

PREFIX = "/api/v2"
router = APIRouter()
for part in (users,):
    router.routes.extend(part.router.routes)
