"""Readiness under `/api`, for clients behind a proxy that forwards only that path."""

from fastapi import APIRouter, Request, Response

from app.api.health import UNAVAILABLE, read_readiness
from app.dependencies import Public
from app.schemas.health import ReadinessRead

router = APIRouter(prefix="/health", tags=["health"], dependencies=[Public])


@router.get("", response_model=ReadinessRead, responses=UNAVAILABLE)
async def read_health(request: Request) -> Response:
    """Return whether the API can serve requests, like `/health/ready`."""
    return await read_readiness(request)
