"""Application state, created by the lifespan and available to every request."""

from typing import TypedDict

from starlette.requests import Request

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens
from app.db.database import Database
from app.observability.health import HealthService
from app.observability.history import History
from app.observability.sampling import MetricsService
from app.ratelimit.limiter import RateLimiter
from app.services.live_sessions import LiveSessions


class State(TypedDict):
    """Application state, created by the lifespan."""

    settings: Settings
    database: Database
    passwords: PasswordHasher
    access_tokens: AccessTokens
    limiter: RateLimiter
    sessions: LiveSessions
    health: HealthService
    history: History | None
    """In development only."""
    metrics: MetricsService


def state_of(request: Request) -> State:
    """Return the application state. A plain function: resolving a dependency costs as much as a middleware."""
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it
