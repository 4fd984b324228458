"""What probes ask is answered here."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class ProbesMiddleware:
    """Answers probes before anything that refuses: a process that is busy, or asked by IP address, is not ill."""

    def __init__(self, app: ASGIApp, answers: Mapping[str, ASGIApp]) -> None:
        """Ask these applications, one for each path."""
        self.app = app
        self.answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        answer = self.answers.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if answer is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["route"] = scope["path"]
        await answer(scope, receive, send)
