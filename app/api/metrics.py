"""What Prometheus asks."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.dependencies import Scrape

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def read_metrics(scrape: Scrape) -> Response:
    """Tell everything that is measured, of all worker processes; 404 to addresses outside METRICS_ALLOW_IPS."""
    return Response(await scrape.expose(), media_type=CONTENT_TYPE_LATEST)
