"""The metrics endpoint.

`ProbesMiddleware` calls it before hosts are checked, because Prometheus scrapes pods by their address.
"""

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import request_response

from app.api.access import LEVELS, Access
from app.core.exceptions import NotFoundError
from app.state import state_of

PATH = "/metrics"


async def check_network(request: Request) -> None:
    """Raise NotFoundError for addresses outside METRICS_ALLOW_IPS."""
    if not state_of(request)["settings"].shows_metrics_to(request.client.host if request.client else None):
        raise NotFoundError("There is no such path.")


LEVELS[check_network] = Access.NETWORK
router = APIRouter(include_in_schema=False)


@router.get(PATH, dependencies=[Depends(check_network)])
async def read_metrics(request: Request) -> Response:
    """Return the metrics of all worker processes."""
    return Response(await state_of(request)["metrics"].expose(), media_type=CONTENT_TYPE_LATEST)


async def answer_scrape(request: Request) -> Response:
    """Check the network, and return the metrics."""
    await check_network(request)
    return await read_metrics(request)


ANSWERS = {PATH: request_response(answer_scrape)}
"""ASGI applications that `ProbesMiddleware` calls, by path."""
