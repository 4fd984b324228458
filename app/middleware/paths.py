"""What happens before the router: paths and methods are normalised, and probes are answered."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class NormalizationMiddleware:
    """Serves `/path/` as `/path` without a redirect, and HEAD as GET without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope["path"] = scope["path"].rstrip("/") or "/"
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        # A copy, because the server reads the method from its scope to frame the response. FastAPI's part is shared.
        scope = {**scope, "method": "GET", "fastapi": scope.setdefault("fastapi", {})}

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, send_without_body)


class ProbesMiddleware:
    """Answers probes before anything can refuse them: a busy process, or one asked by its IP address, is healthy."""

    def __init__(self, app: ASGIApp, answers: Mapping[str, ASGIApp]) -> None:
        """Call these applications, one for each path."""
        self.app = app
        self.answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answer = self.answers.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if answer is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["route"] = scope["path"]
        await answer(scope, receive, send)
