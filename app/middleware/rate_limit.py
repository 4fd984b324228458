"""Limit the requests of each caller: an account, or the address of an anonymous client."""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import UnauthenticatedError
from app.core.security import AccessTokens
from app.middleware.headers import encode_headers, read_header
from app.ratelimit.counters import Limit
from app.ratelimit.limiter import RateLimiter, address_key


class RateLimitMiddleware:
    """Counts each request, adds the remaining limit to its response, and sets the caller for tighter limits.

    Not a dependency, so that unknown paths and invalid tokens count, too. The limiter is part of the application state.
    """

    def __init__(self, app: ASGIApp, limit: Limit) -> None:
        """Apply this limit to every request."""
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise TooManyRequestsError."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope["state"]
        limiter: RateLimiter = state["limiter"]
        state["address"] = f"address:{address_key(scope['client'][0] if scope.get('client') else None)}"
        state["caller"] = account_of(scope, state["access_tokens"]) or state["address"]
        usage = await limiter.hit(self.limit, state["caller"])
        if usage is None:
            await self.app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if not any(name == b"ratelimit" for name, _ in headers):  # A tighter limit has set them.
                    headers += encode_headers(usage.headers)
            await send(message)

        await self.app(scope, receive, send_counted)


def account_of(scope: Scope, tokens: AccessTokens) -> str | None:
    """Return the counter key of the account whose valid token the request carries, None without one."""
    scheme, _, token = read_header(scope, b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        try:
            return f"user:{tokens.verify(token.strip()).user_id}"
        except UnauthenticatedError:
            pass
    return None
