"""What probes and balancers ask."""

from fastapi import APIRouter, Response

from app.api.openapi import Responses
from app.dependencies import Health
from app.schemas.health import HealthRead, ReadinessRead

router = APIRouter(prefix="/health", tags=["health"])
UNAVAILABLE: Responses = {503: {"model": ReadinessRead, "description": "Something that every request needs is away"}}


@router.get("/live")
async def read_liveness() -> HealthRead:
    """Tell that the process runs and its event loop turns; nothing else is looked at."""
    return HealthRead()


@router.get("/ready", responses=UNAVAILABLE)
async def read_readiness(health: Health, response: Response) -> ReadinessRead:
    """Tell whether the process can serve: 503 while something that every request needs is away."""
    readiness = await health.check()
    response.status_code = 200 if readiness.status == "ok" else 503
    return readiness
