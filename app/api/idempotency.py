"""The route class of creating POSTs: `Idempotency-Key` makes a retry safe."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.dependencies import IDEMPOTENCY_SCOPE_KEY, AlreadyAnswered
from app.services.idempotency_service import IdempotencyService, StoredAnswer

KEPT_HEADERS = ("content-type", "etag", "location")
REPLAYED = {"Idempotent-Replayed": "true"}


class IdempotentRoute(APIRoute):
    """Stores the finished answer while the unit of work is still open, so that both commit together.

    A middleware could not: it sees the answer after the commit. The key itself is claimed by the dependency
    `Idempotent`, which the handler asks for.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except AlreadyAnswered as already:
                stored = already.answer
                return Response(stored.body, stored.status, {**stored.headers, **REPLAYED})
            service: IdempotencyService | None = request.scope.get(IDEMPOTENCY_SCOPE_KEY)
            if service is not None:
                headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
                await service.finish(StoredAnswer(response.status_code, headers, bytes(response.body)))
            return response

        return handle_once
