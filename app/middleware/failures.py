"""Retry requests whose transaction was rolled back; render other errors as responses."""

import asyncio
import random
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import UnitOfWorkLostError
from app.observability.metrics import Metrics

RETRIES = 3
LONGEST_FIRST_PAUSE_SECONDS = 0.02


class CatchAllMiddleware:
    """Renders every exception. Starlette's own handler raises it again, and the server then closes the connection."""

    def __init__(self, app: ASGIApp, render: Callable[[Scope, Exception], Response]) -> None:
        """Wrap the application; `render` returns the response for an exception."""
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_track_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_track_start)
        except Exception as error:
            response = self.render(scope, error)
            if started:  # A part of the response was sent: only closing the connection signals the error.
                raise
            await response(scope, receive, send)


class RetryMiddleware:
    """Runs a request again after a deadlock, a serialization failure or a connection lost before COMMIT.

    The whole request, because what it read may have changed. The unit of work cannot do that: it is a dependency and
    cannot run its handler twice.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap the application; each repetition is counted in the metrics."""
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise UnitOfWorkLostError after `RETRIES` more attempts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        original, body = dict(scope), RecordedBody(receive)
        started = False

        async def send_and_track_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        for retry in range(RETRIES):
            try:
                await self.app(scope, body.replay(), send_and_track_start)
            except UnitOfWorkLostError:
                if started:
                    raise
                self.metrics.repeated.inc()
                # Jitter, so that requests that collided do not collide again.
                pause = random.uniform(0, LONGEST_FIRST_PAUSE_SECONDS * 2**retry)  # noqa: S311  not a secret
                await asyncio.sleep(pause)
                scope.clear()
                scope.update(original)
            else:
                return
        await self.app(scope, body.replay(), send)


class RecordedBody:
    """A request body that can be received more than once."""

    def __init__(self, receive: Receive) -> None:
        """Record the messages of `receive`."""
        self._receive = receive
        self._messages: list[Message] = []

    def replay(self) -> Receive:
        """Return a `receive` that starts with the first message."""
        position = 0

        async def receive() -> Message:
            nonlocal position
            if position == len(self._messages):
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._messages.append(message)
            position += 1
            return self._messages[position - 1]

        return receive
