"""What lives as long as the process, and the sessions of the database."""

from collections.abc import AsyncIterator
from typing import Annotated, TypedDict

from fastapi import Depends, Request

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


# Sessions of the database. Their scope is essential: without it the commit comes after the response was sent.


async def _writer(request: Request) -> AsyncIterator[Writer]:
    async with state_of(request)["database"].unit_of_work() as session:
        yield session


WriterSession = Annotated[Writer, Depends(_writer, scope="function")]
"""The unit of work: committed after the response is serialised and before it is sent."""
