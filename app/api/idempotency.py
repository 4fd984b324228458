"""`Idempotency-Key`: a POST that is retried is done once (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.dependencies import CurrentUser, Db
from app.services.idempotency_service import IdempotencyService, StoredAnswer

SCOPE_KEY = "idempotency"
KEPT_HEADERS = ("content-type", "etag", "location")
REPLAYED = {"Idempotent-Replayed": "true"}
Key = Annotated[str | None, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", examples=["8e03978e-40d5"])]


class AlreadyAnswered(Exception):  # noqa: N818  no error: the work is done
    """The key was used before; its stored response is sent again."""

    def __init__(self, answer: StoredAnswer) -> None:
        super().__init__()
        self.answer = answer


async def claim_key(request: Request, db: Db, user: CurrentUser, idempotency_key: Key = None) -> None:
    """Claim the key in the unit of work of the request, or raise AlreadyAnswered if it was used."""
    if not isinstance(request.scope["route"], IdempotentRoute):
        raise TypeError("Idempotent needs a router with route_class=IdempotentRoute")
    if idempotency_key is None:
        return
    operation = f"{request.method} {request.url.path}"
    service = IdempotencyService(db, user.user_id, operation, idempotency_key)
    answer = await service.begin(await request.body())
    if answer is not None:
        raise AlreadyAnswered(answer)
    request.scope[SCOPE_KEY] = service


class IdempotentRoute(APIRoute):
    """Stores the finished response while the unit of work is still open, so that both commit together.

    A middleware could not: it sees the response after the commit.
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
            service: IdempotencyService | None = request.scope.get(SCOPE_KEY)
            if service is not None:
                headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
                await service.finish(StoredAnswer(response.status_code, headers, bytes(response.body)))
            return response

        return handle_once


Idempotent = Depends(claim_key)
"""A dependency of operations whose router has `route_class=IdempotentRoute`."""
