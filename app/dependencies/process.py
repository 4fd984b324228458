"""Application state and database sessions."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.security import AccessTokens
from app.db.database import Database
from app.db.session import Session
from app.services.health_service import HealthService
from app.services.live_sessions import LiveSessions
from app.services.metrics_service import MetricsService

READING = frozenset({"GET", "HEAD"})


class State(TypedDict):
    """Application state, created by the lifespan."""

    settings: Settings
    database: Database
    passwords: PasswordHasher
    access_tokens: AccessTokens
    limiter: RateLimiter
    sessions: LiveSessions
    health: HealthService
    metrics: MetricsService


def state_of(request: Request) -> State:
    """Return the application state. A plain function: resolving a dependency costs as much as a middleware."""
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it


async def get_db(request: Request) -> Session:
    """Return the session of the request: read-only for GET and HEAD, the unit of work for every other method.

    The unit of work is committed after the response is serialised and before it is sent. A dependency with `yield` and
    `scope="function"` does the same, on the same exit stack, but its cancel scopes take the CPU of a whole statement.
    Without that scope the commit would come after the response.
    """
    database = state_of(request)["database"]
    scope = database.read_only() if request.method in READING else database.unit_of_work()
    return await _enter(request, scope)


async def get_replica_db(request: Request) -> Session:
    """Return a read-only session on the replica, if there is one; its data may be some seconds old."""
    return await _enter(request, state_of(request)["database"].read_only(replica=True))


async def _enter(request: Request, scope: AbstractAsyncContextManager[Session]) -> Session:
    function_scope: AsyncExitStack = request.scope["fastapi_function_astack"]
    return await function_scope.enter_async_context(scope)


Db = Annotated[Session, Depends(get_db)]
"""The database session of the request."""
ReplicaDb = Annotated[Session, Depends(get_replica_db)]
"""A read-only session for operations that may show data as old as a replica's; never for decisions on access."""
