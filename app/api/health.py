"""Liveness and readiness, for probes and load balancers.

`ProbesMiddleware` calls these functions; the router only describes them.
"""

from fastapi import APIRouter, Request, Response
from starlette.routing import request_response

from app.api.openapi import Responses
from app.dependencies import Public
from app.schemas.health import HealthRead, ReadinessRead
from app.state import state_of

PREFIX = "/health"
UNAVAILABLE: Responses = {503: {"model": ReadinessRead, "description": "A required dependency is unavailable"}}
router = APIRouter(prefix=PREFIX, tags=["health"], dependencies=[Public])


@router.get("", include_in_schema=False, name="read_health_short")
@router.get("/live", response_model=HealthRead)
async def read_liveness(_: Request) -> Response:
    """Return 200 while the process and its event loop run. Nothing else is checked."""
    return Response(HealthRead().model_dump_json(), media_type="application/json")


@router.get("/ready", response_model=ReadinessRead, responses=UNAVAILABLE)
async def read_readiness(request: Request) -> Response:
    """Return whether the process can serve requests: 503 while the database is unavailable, or while it shuts down."""
    readiness = await state_of(request)["health"].check()
    status = 200 if readiness.status == "ok" else 503
    return Response(readiness.model_dump_json(), status, media_type="application/json")


ANSWERS = {
    PREFIX: request_response(read_liveness),
    f"{PREFIX}/live": request_response(read_liveness),
    f"{PREFIX}/ready": request_response(read_readiness),
}
"""ASGI applications that `ProbesMiddleware` calls, by path."""
