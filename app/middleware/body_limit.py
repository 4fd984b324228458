"""A bound on the request body, whether its length is announced or not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import ContentTooLargeError


class BodyLimitMiddleware:
    """Refuses larger bodies before they are read.

    Not FastAPI's `max_body_size`: that one stands outside all other middleware and answers in plain text, without a
    request id.
    """

    def __init__(self, app: ASGIApp, maximum_bytes: int) -> None:
        """Accept up to `maximum_bytes`."""
        self.app = app
        self.maximum_bytes = maximum_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise ContentTooLargeError."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > self.maximum_bytes:
            raise ContentTooLargeError
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.maximum_bytes:
                # FastAPI takes any other exception for a body that cannot be parsed.
                raise HTTPException(413)
            return message

        await self.app(scope, receive_counted, send)
