"""Refuse requests that another site makes with a browser of a user (CSRF)."""

from urllib.parse import urlsplit

from starlette.requests import Request

from app.core.exceptions import ForbiddenError


async def same_origin(request: Request) -> None:
    """Raise ForbiddenError unless a page of this service has sent the request.

    Browsers say so themselves (Fetch Metadata); those that do not, and connections without TLS, send `Origin`. A client
    that sends neither is no browser with a session, and uses the API.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        origin = request.headers.get("origin", "")
        is_own = bool(origin) and urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise ForbiddenError("The request comes from another site.")
