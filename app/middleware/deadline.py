"""Time for a request: to arrive, and to be answered."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import DeadlineExceededError, RequestTimeoutError


class DeadlineMiddleware:
    """Ends a request that takes too long; the handler is cancelled, and its unit of work rolls back.

    A body that arrives too slowly has a deadline of its own: no Python server has one, and each slow client would
    hold a place for as long as it likes.
    """

    def __init__(self, app: ASGIApp, *, answer_seconds: float, receive_seconds: float) -> None:
        """Allow so long for an answer in all, and for the body to arrive."""
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
            if is_complete:  # What comes now is the end of the connection, and may take for ever.
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
