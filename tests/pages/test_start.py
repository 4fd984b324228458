"""The start page of development."""

from collections import deque

import httpx2

from app.main import create_application
from app.observability.history import SAMPLES, draw
from tests.conftest import SAFE_IN_PRODUCTION, make_settings, serving
from tests.factories import problem


async def test_the_start_page_leads_everywhere(client: httpx2.AsyncClient) -> None:
    """Every link works."""
    page = await client.get("/")
    assert page.status_code == 200
    assert "create-admin" in page.text
    for path in ("/api/docs", "/api/redoc", "/api/openapi.json", "/health/ready", "/metrics"):
        assert f'href="{path}"' in page.text
        assert (await client.get(path)).status_code in (200, 303)
    assert page.text.count("<polyline") == 2


async def test_production_has_no_start_page() -> None:
    """A plain problem document."""
    settings = make_settings("postgresql://nowhere/app", **SAFE_IN_PRODUCTION)
    async with serving(create_application(settings)) as client:
        client.base_url = httpx2.URL("https://api.example.com")
        assert problem(await client.get("/")) == (404, "not_found")


def test_a_chart_has_the_latest_value_at_the_right() -> None:
    """The highest value is at the top, and an idle hour is a flat line."""
    chart = draw("Jobs", deque([0.0, 4.0, 2.0]))
    assert chart.points == f"{SAMPLES - 3},98.0 {SAMPLES - 2},2.0 {SAMPLES - 1},50.0"
    assert (chart.latest, chart.highest) == ("2", "4")
    assert draw("Jobs", deque([0.0])).points == f"{SAMPLES - 1},98.0"
