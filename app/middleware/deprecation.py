"""Add Deprecation and Sunset headers to an old version."""

from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.logging import route_template


class DeprecationMiddleware:
    """Adds Deprecation (RFC 9745), Sunset (RFC 8594) and a link to the successor, if there is one."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        old_prefix: str,
        new_prefix: str,
        successors: frozenset[tuple[str, str]],
        deprecated_at: datetime,
        sunset_at: datetime,
    ) -> None:
        """`successors` are the operations of the new version: method and path template."""
        self.app = app
        self.old_prefix = old_prefix
        self.new_prefix = new_prefix
        self.successors = successors
        self.deprecation = f"@{int(deprecated_at.timestamp())}"
        self.sunset = format_datetime(sunset_at, usegmt=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] != "http" or not scope["path"].startswith(self.old_prefix):
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and self._has_successor(scope):
                headers = MutableHeaders(scope=message)
                headers["Deprecation"] = self.deprecation
                headers["Sunset"] = self.sunset
                successor = scope["path"].replace(self.old_prefix, self.new_prefix, 1)
                # Quoted, because a decoded path may contain characters that a header cannot.
                headers.append("Link", f'<{quote(successor)}>; rel="successor-version"')
            await send(message)

        await self.app(scope, receive, send_marked)

    def _has_successor(self, scope: Scope) -> bool:
        template = route_template(scope) or ""
        return (scope["method"], template.replace(self.old_prefix, self.new_prefix, 1)) in self.successors
