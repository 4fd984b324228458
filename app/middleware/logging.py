"""The request id, the context of log lines, and the access log."""

import re
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from app.middleware.headers import read_header
from app.observability.metrics import Metrics

log = structlog.get_logger("app.access")

WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class RequestContextMiddleware:
    """Sets the request id and its response header, writes the access log, and counts the request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap the application."""
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = choose_request_id(read_header(scope, b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        path, status = scope["path"], 0

        async def send_with_request_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        started = time.perf_counter()
        self.metrics.requests_in_flight += 1
        try:
            await self.app(scope, receive, send_with_request_id)
        finally:
            self._finish(scope, path, status, time.perf_counter() - started)

    def _finish(self, scope: Scope, path: str, status: int, seconds: float) -> None:
        method, route, problem = scope["method"], route_template(scope), scope["state"].get("problem")
        self.metrics.requests_in_flight -= 1
        self.metrics.request_done(method, route, status, seconds)
        client = scope["client"][0] if scope.get("client") else None
        fields = {"method": method, "path": path, "route": route, "status": status, "client": client}
        if problem:
            self.metrics.problems.labels(problem).inc()
            fields["code"] = problem
        log.info("request", **fields, duration_ms=round(seconds * 1000, 2))


def choose_request_id(offered: str) -> str:
    """Return the id of the client if it is well-formed (1 to 128 letters, digits and `._:-`), otherwise a new one."""
    return offered if WELL_FORMED.fullmatch(offered) else str(uuid7())


def route_template(scope: Scope) -> str | None:
    """Return the whole template of the matched route; `scope["route"].path` has no prefixes."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    route: str | None = context.path if context else scope["state"].get("route")
    return route
