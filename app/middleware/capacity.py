"""Limits on concurrent requests and on concurrent request bodies; the excess gets 503 immediately."""

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import OverloadedError
from app.ratelimit.limiter import address_key

SHARE = 8
"""One client may fill an eighth of the room for bodies."""


class ConcurrencyLimitMiddleware:
    """Refuses requests above the limit: a quick 503 is worth more than a response after the client has given up."""

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        """Serve `maximum` requests concurrently."""
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


class ReceivingMiddleware:
    """Receives the whole body first, so that slow clients take no place, and limits concurrent bodies.

    One client (an IPv4 address or an IPv6 network) may use only a share of the limit, so that its slow bodies leave
    room for others. Requests without a body pass.
    """

    def __init__(self, app: ASGIApp, maximum: int) -> None:
        """Receive `maximum` bodies concurrently."""
        self.app = app
        self.free = maximum
        self.share = max(1, maximum // SHARE)
        self.receiving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive the body, or raise OverloadedError, then serve the request."""
        if scope["type"] != "http" or not has_body(scope):
            await self.app(scope, receive, send)
            return
        client = address_key(scope["client"][0] if scope.get("client") else None)
        if self.free == 0 or self.receiving[client] >= self.share:
            raise OverloadedError
        self.free -= 1
        self.receiving[client] += 1
        try:
            messages = await receive_all(receive)
        finally:
            self.free += 1
            self.receiving[client] -= 1
            if not self.receiving[client]:
                del self.receiving[client]

        async def receive_again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, receive_again, send)


def has_body(scope: Scope) -> bool:
    """Return whether a request announces a body (RFC 9112, section 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def receive_all(receive: Receive) -> list[Message]:
    """Return the messages of a body; fewer if the client disconnects."""
    messages = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages
