"""Two ways to write the same request: a trailing slash, and HEAD for GET."""

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
        # A copy, because the server looks at its own scope to frame the answer; the route found is shared.
        scope = {**scope, "method": "GET", "fastapi": scope.setdefault("fastapi", {})}

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, send_without_body)
