"""As many requests at once as the process can do well; the rest are told so at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.exceptions import OverloadedError


class ConcurrencyLimitMiddleware:
    """Refuses what exceeds the limit: a quick 503 is worth more than an answer after everyone has given up."""

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        """Serve `maximum` requests at the same time."""
        self.app = app
        self.free = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise OverloadedError."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.free == 0:
            raise OverloadedError
        self.free -= 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.free += 1
