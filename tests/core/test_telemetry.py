"""Traces and error reports, as real collectors receive them."""

import gzip
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import text

from app.core.config import Settings
from app.db.database import Database
from tests.factories import PASSWORD, Accounts, problem
from tests.test_server import Running, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@contextmanager
def collecting() -> Iterator[tuple[str, list[bytes]]]:
    """Run a collector on the loopback interface; yield its address and the bodies that it receives."""
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()


def spans_of(bodies: list[bytes]) -> list[Span]:
    """Return the exported spans of the requests."""
    exported = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return [s for e in exported for r in e.resource_spans for scope in r.scope_spans for s in scope.spans]


def running_like(settings: Settings, folder: Path, **changes: str) -> AbstractContextManager[Running]:
    """Run a server in staging that accepts the tokens of the application under test."""
    same = {"SECRET_KEY": settings.secret_key.get_secret_value(), "PUBLIC_URL": settings.public_url}
    return running(settings, folder, ENVIRONMENT="staging", RATE_LIMIT_ENABLED="0", **same, **changes)


async def test_a_request_is_a_trace_with_its_statements_and_its_jobs(
    accounts: Accounts, settings: Settings, tmp_path: Path
) -> None:
    """The caller's trace continues; log lines carry its id, and spans contain no values."""
    ada = await accounts.create()
    with collecting() as (address, bodies):
        changes = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}", "WORKER_IN_PROCESS": "1"}
        with running_like(settings, tmp_path, **changes) as (port, _):
            headers = {**ada.headers, "traceparent": f"00-{TRACE}-{PARENT}-01"}
            url = f"http://127.0.0.1:{port}/api/v1"
            registration = {"email": "bob@example.com", "password": PASSWORD, "full_name": "canary"}
            assert httpx2.post(f"{url}/users", json=registration, headers=headers).status_code == 201
            assert httpx2.post(f"{url}/auth/verify-email/request", headers=headers).status_code == 202
    spans = spans_of(bodies)
    ours = [span for span in spans if span.trace_id.hex() == TRACE]
    [created] = [span for span in ours if span.name == "POST /api/v1/users"]
    assert created.parent_span_id.hex() == PARENT
    statements = {span.name for span in ours if span.parent_span_id == created.span_id}
    assert {"SELECT", "INSERT"} <= statements
    assert any(span.name.startswith("job ") for span in ours)
    assert "canary" not in str(spans)
    lines = [json.loads(line) for line in (tmp_path / "output").read_text().splitlines() if line.startswith("{")]
    assert {line["trace_id"] for line in lines if line.get("route") == "/api/v1/users"} == {TRACE}


async def test_an_error_report_contains_no_user_input(
    accounts: Accounts, database: Database, settings: Settings, tmp_path: Path
) -> None:
    """It has the type, the stack and the request id, but no message, variable or request."""
    ada = await accounts.create()
    with collecting() as (address, bodies):
        with running_like(settings, tmp_path, SENTRY_DSN=f"http://key@{address}/1") as (port, _):
            async with moved_away(database, "one_time_tokens"):
                headers = {**ada.headers, "X-Request-ID": "req-7"}
                url = f"http://127.0.0.1:{port}/api/v1/auth/verify-email"
                answer = httpx2.post(url, json={"token": "canary"}, headers=headers)
            assert problem(answer) == (500, "internal_error")
        reports = [body.decode() for body in bodies]
    [event] = [json.loads(report.splitlines()[2]) for report in reports if '"exception"' in report]
    exceptions = event["exception"]["values"]
    assert "UndefinedTableError" in [exception["type"] for exception in exceptions]
    assert {exception["value"] for exception in exceptions} == {""}
    assert event["tags"]["request_id"] == "req-7"
    for typed in ("canary", ada.email, ada.token):
        assert typed not in "".join(reports)


@asynccontextmanager
async def moved_away(database: Database, table: str) -> AsyncIterator[None]:
    """Rename a table, so that requests fail with an unexpected error."""
    async with database.unit_of_work() as session:
        await session.execute(text(f"ALTER TABLE {table} RENAME TO moved_away"))
    try:
        yield
    finally:
        async with database.unit_of_work() as session:
            await session.execute(text(f"ALTER TABLE moved_away RENAME TO {table}"))
