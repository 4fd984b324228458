"""The metrics endpoint.

`ProbesMiddleware` answers it, before hosts are checked: Prometheus scrapes pods by their address.
"""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import request_response

from app.core.exceptions import NotFoundError
from app.dependencies import state_of

PATH = "/metrics"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def read_metrics(request: Request) -> Response:
    """Return the metrics of all worker processes; 404 to addresses outside METRICS_ALLOW_IPS."""
    state = state_of(request)
    if not state["settings"].shows_metrics_to(request.client.host if request.client else None):
        raise NotFoundError("There is no such path.")
    return Response(await state["metrics"].expose(), media_type=CONTENT_TYPE_LATEST)


ANSWERS = {PATH: request_response(read_metrics)}
"""ASGI applications that `ProbesMiddleware` calls, by path."""
