"""Metrics: what is counted, for whom it is shown, and that several processes count together."""

import platform
import re
from pathlib import Path

import httpx2
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from tests.conftest import serving
from tests.factories import Accounts
from tests.notes.application import create_notes_application
from tests.test_server import running

SAMPLE = re.compile(r"^(\w+(?:\{.*\})?) ([\d.e+-]+|\+Inf|NaN)$", re.MULTILINE)


async def scrape(client: httpx2.AsyncClient) -> dict[str, float]:
    """Return the value of each series."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {name: float(value) for name, value in SAMPLE.findall(answer.text)}


async def test_requests_are_counted_by_method_route_and_status(accounts: Accounts, settings: Settings) -> None:
    """Routes are templates, so that versions differ and ids do not; errors are also counted by code."""
    ada = await accounts.create()
    async with serving(create_notes_application(settings)) as client:
        for path in ("/api/v1/users/me", "/api/v2/users/me", f"/api/v1/users/{ada.id}", "/nowhere", "/api/v1/notes/"):
            await client.get(path, headers=ada.headers)
        await client.get("/api/v1/users/me")
        await client.request("BREW", "/nowhere/else")
        seen = await scrape(client)
    counted = {
        ("GET", "/api/v1/users/me", 200): 1,
        ("GET", "/api/v1/users/me", 401): 1,
        ("GET", "/api/v2/users/me", 200): 1,
        ("GET", "/api/v1/users/{user_id}", 200): 1,
        ("GET", "/api/v1/notes", 200): 1,
        ("GET", "unmatched", 404): 1,
        ("other", "unmatched", 404): 1,
    }
    for (method, route, status), count in counted.items():
        assert seen[f'http_requests_total{{method="{method}",route="{route}",status="{status}"}}'] == count
    assert seen['http_request_duration_seconds_count{route="/api/v1/users/me"}'] == 2
    assert seen['http_problems_total{code="unauthenticated"}'] == 1
    assert seen["http_requests_in_flight"] == 1
    assert seen['build_info{environment="development",python="' + platform.python_version() + '",version="0.1.0"}'] == 1


async def test_the_job_queue_is_looked_at(accounts: Accounts, database: Database, settings: Settings) -> None:
    """The metrics have the number of jobs by state, and the age of the oldest due job."""
    await accounts.create()
    await accounts.create()
    async with database.unit_of_work() as session:
        await session.execute(text("UPDATE pgqueuer SET execute_after = now() - interval '1 minute'"))
        await session.execute(text("UPDATE pgqueuer SET status = 'failed' WHERE id = (SELECT min(id) FROM pgqueuer)"))
    async with serving(create_notes_application(settings)) as client:
        seen = await scrape(client)
    assert (seen['jobs{state="queued"}'], seen['jobs{state="failed"}'], seen['jobs{state="running"}']) == (1, 1, 0)
    assert 60 <= seen["jobs_oldest_due_seconds"] < 120


async def test_metrics_are_not_for_everyone(settings: Settings) -> None:
    """Clients outside METRICS_ALLOW_IPS get 404."""
    app = create_notes_application(settings.model_copy(update={"metrics_allow_ips": ("10.0.0.0/8", "::1")}))
    async with serving(app) as client:
        for address, status in (("10.1.2.3", 200), ("::1", 200), ("192.0.2.1", 404), ("not an address", 404)):
            client._transport.client = (address, 1)  # type: ignore[attr-defined]  # noqa: SLF001  the peer
            assert (await client.get("/metrics")).status_code == status


async def test_any_worker_returns_the_metrics_of_all_workers(settings: Settings, tmp_path: Path) -> None:
    """Two workers count all requests that were sent over many connections."""
    with running(settings, tmp_path, WEB_CONCURRENCY="2") as (port, _):
        address = f"http://127.0.0.1:{port}"
        for _ in range(30):
            async with httpx2.AsyncClient(base_url=address) as client:
                await client.get("/api/v1/users/me")
        async with httpx2.AsyncClient(base_url=address) as client:
            seen = [await scrape(client) for _ in range(3)]
    for series in seen:
        assert series['http_requests_total{method="GET",route="/api/v1/users/me",status="401"}'] == 30
        assert series["database_pool_size"] in (0, 20, 40)  # two pools of ten in each of two workers
