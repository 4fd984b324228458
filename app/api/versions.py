"""Deprecation of version 1."""

from datetime import UTC, timedelta

from fastapi.routing import iter_route_contexts
from starlette.middleware import Middleware

from app.api.v1 import router as v1
from app.api.v2 import router as v2
from app.core.config import Settings
from app.middleware.deprecation import DeprecationMiddleware

HALF_A_YEAR = timedelta(days=182)


def deprecation(settings: Settings) -> list[Middleware]:
    """Return the middleware that marks version 1 as deprecated, if API_V1_SUNSET is set."""
    if settings.api_v1_sunset is None:
        return []
    successors = frozenset(
        (method, f"{v2.PREFIX}{route.path}")
        for route in iter_route_contexts(v2.router.routes)
        for method in route.methods or ()
    )
    return [
        Middleware(
            DeprecationMiddleware,
            old_prefix=f"{v1.PREFIX}/",
            new_prefix=f"{v2.PREFIX}/",
            successors=successors,
            deprecated_at=settings.api_v1_deprecated or settings.api_v1_sunset - HALF_A_YEAR,
            sunset_at=settings.api_v1_sunset.astimezone(UTC),
        )
    ]
