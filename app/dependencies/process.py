"""What lives as long as the process, and the sessions of the database."""

from collections.abc import AsyncIterator
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.security import AccessTokens
from app.db.pagination import Cursors
from app.db.reader import Reader
from app.db.session import Database, Writer
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


async def _state(request: Request) -> State:
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it


ProcessState = Annotated[State, Depends(_state)]
"""What the lifespan made."""


# Sessions of the database. Their scope is essential: without it the commit comes after the response was sent.


async def _writer(state: ProcessState) -> AsyncIterator[Writer]:
    async with state["database"].unit_of_work() as session:
        yield session


async def _reader(state: ProcessState) -> Reader:
    return state["database"].reader()


WriterSession = Annotated[Writer, Depends(_writer, scope="function")]
"""The unit of work: committed after the response is serialised and before it is sent."""
ReaderSession = Annotated[Reader, Depends(_reader)]
"""For reading."""
