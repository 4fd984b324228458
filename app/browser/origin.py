"""Refuse requests that another site makes with a browser of a user (CSRF)."""

from urllib.parse import urlsplit

from starlette.requests import Request

from app.core.exceptions import ForbiddenError
from app.state import state_of

READING = frozenset({"GET", "HEAD"})
"""The methods that change nothing."""


async def require_same_origin(request: Request) -> None:
    """Raise ForbiddenError unless a page of this service has sent the request.

    Browsers send `Sec-Fetch-Site` over HTTPS and to localhost. Without it, `Origin` must match `Host`. A request with
    neither header is refused: such clients use the API.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = host_of(request.headers.get("origin", "")) == request.headers.get("host")
    if not is_own:
        raise ForbiddenError("The request comes from another site.")


async def require_known_origin(request: Request) -> None:
    """Raise ForbiddenError unless the request comes from a page of this service or of one of ALLOWED_ORIGINS."""
    if request.headers.get("origin") not in state_of(request)["settings"].allowed_origins:
        await require_same_origin(request)


def host_of(origin: str) -> str | None:
    """Return the host and port of an origin; None for one that is malformed or `null`."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None
