"""What lives as long as the process, and the sessions of the database."""

from contextlib import AsyncExitStack
from typing import TypedDict

from fastapi import Request

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.security import AccessTokens
from app.db.pagination import Cursors
from app.db.session import Database
from app.db.writer import Writer
from app.services.health_service import HealthService
from app.services.live_sessions import LiveSessions
from app.services.metrics_service import MetricsService

WRITER = "writer"


class State(TypedDict):
    """What lives as long as the process; the lifespan yields it."""

    settings: Settings
    database: Database
    passwords: PasswordHasher
    access_tokens: AccessTokens
    cursors: Cursors
    limiter: RateLimiter
    sessions: LiveSessions
    health: HealthService
    metrics: MetricsService


def state_of(request: Request) -> State:
    """Give what the lifespan made. No dependency of its own: each costs a request as much as a middleware."""
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it


async def writer_of(request: Request) -> Writer:
    """Give the unit of work of the request: committed after the response is serialised and before it is sent.

    A dependency with `yield` and `scope="function"` does the same, on the same exit stack, but takes the CPU of a
    whole statement for its cancel scopes. Without that scope the commit would come after the response.
    """
    writer: Writer | None = request.scope.get(WRITER)
    if writer is None:
        function_scope: AsyncExitStack = request.scope["fastapi_function_astack"]
        writer = await function_scope.enter_async_context(state_of(request)["database"].unit_of_work())
        request.scope[WRITER] = writer
    return writer
