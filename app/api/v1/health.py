"""Readiness under the path of the API, for clients that reach nothing else."""

from fastapi import APIRouter, Response

from app.api.health import UNAVAILABLE, read_readiness
from app.dependencies import Health
from app.schemas.health import ReadinessRead

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", responses=UNAVAILABLE)
async def read_health(health: Health, response: Response) -> ReadinessRead:
    """Tell whether the API can serve, as `/health/ready` does."""
    return await read_readiness(health, response)
