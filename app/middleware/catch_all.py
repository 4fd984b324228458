"""The last resort: an exception becomes an answer and the connection stays usable."""

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CatchAllMiddleware:
    """Renders whatever escapes; the framework's own handler raises on, and the server then drops the connection."""

    def __init__(self, app: ASGIApp, render: Callable[[Scope, Exception], Response]) -> None:
        """Wrap the application; `render` writes the answer for an exception."""
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:
            response = self.render(scope, error)
            if started:  # Half an answer is out: only a dropped connection tells the client so.
                raise
            await response(scope, receive, send)
