"""Timeouts of requests: for receiving the body, and for the response."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import DeadlineExceededError, RequestTimeoutError


class DeadlineMiddleware:
    """Cancels a request that takes too long; its unit of work is rolled back.

    Receiving the body has a separate timeout, which no Python server has; slow clients would take places indefinitely.
    """

    def __init__(self, app: ASGIApp, *, answer_seconds: float, receive_seconds: float) -> None:
        """Allow `answer_seconds` for the response and `receive_seconds` for the body."""
        self.app = app
        self.answer_seconds = answer_seconds
        self.receive_seconds = receive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise RequestTimeoutError or DeadlineExceededError."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = asyncio.get_running_loop().time()
        is_receiving = is_complete = False

        async def receive_in_time() -> Message:
            nonlocal is_receiving, is_complete
            if is_complete:  # The next message is the end of the connection, which has no timeout.
                return await receive()
            is_receiving = True
            deadline.reschedule(started + min(self.receive_seconds, self.answer_seconds))
            message = await receive()
            is_receiving = False
            deadline.reschedule(started + self.answer_seconds)
            is_complete = not message.get("more_body", False)
            return message

        try:
            async with asyncio.timeout_at(started + self.answer_seconds) as deadline:
                await self.app(scope, receive_in_time, send)
        except TimeoutError as error:
            if deadline.expired():
                raise (RequestTimeoutError if is_receiving else DeadlineExceededError) from error
            raise
