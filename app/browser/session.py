"""Sessions of browsers, in a cookie: for the pages, and for front ends of this service."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.browser.origin import known_origin
from app.core.browser_cookie import BrowserCookies
from app.core.exceptions import ForbiddenError, UnauthenticatedError
from app.core.security import AccessClaims
from app.models.user import Role
from app.services.principal import Principal
from app.state import state_of

RENEW_AFTER_SECONDS = 60.0
"""A cookie that is younger, and younger than a quarter of the idle time, is not written again."""
CSRF_HEADER = "X-CSRF-Token"


def cookies_of(request: Request) -> BrowserCookies:
    """Return the writer and reader of cookies."""
    return BrowserCookies.from_settings(state_of(request)["settings"])


def has_cookie(request: Request) -> bool:
    """Return whether the request has the cookie of a session, live or not."""
    return "cookie" in request.headers and cookies_of(request).name in request.cookies


def set_cookie(response: Response, cookies: BrowserCookies, claims: AccessClaims) -> None:
    """Write the cookie of a session: not for scripts, and not for requests of other sites."""
    response.set_cookie(
        cookies.name, cookies.write(claims), secure=cookies.is_secure, httponly=True, samesite="lax", path="/"
    )


def delete_cookie(response: Response, cookies: BrowserCookies) -> None:
    """Make the browser forget the session."""
    response.delete_cookie(cookies.name, path="/", secure=cookies.is_secure, httponly=True, samesite="lax")


async def find_user(request: Request, response: Response) -> Principal | None:
    """Return the user of the cookie, if the session is live; renew the idle timeout."""
    cookies = cookies_of(request)
    found = cookies.read(request.cookies.get(cookies.name, ""))
    session = await state_of(request)["sessions"].find(found[0]) if found else None
    if found is None or session is None:
        return None
    claims, age = found
    if age > min(RENEW_AFTER_SECONDS, cookies.idle_seconds / 4):
        set_cookie(response, cookies, claims)
    structlog.contextvars.bind_contextvars(user_id=str(claims.user_id))
    is_admin = session.role == Role.ADMIN
    return Principal(claims.user_id, claims.session_id, is_admin=is_admin, is_verified=session.is_verified)


async def authenticate_browser(request: Request, response: Response) -> Principal:
    """Return the caller of an operation of the API that the cookie stands for.

    Raises UnauthenticatedError without a live session. A request that changes something must come from a known origin
    and carry the token of its session in `X-CSRF-Token`, or ForbiddenError is raised.
    """
    user = await find_user(request, response)
    if user is None:
        raise UnauthenticatedError
    if request.method not in ("GET", "HEAD"):
        await known_origin(request)
        if not cookies_of(request).is_csrf_token(user.session_id, request.headers.get(CSRF_HEADER, "")):
            raise ForbiddenError(f"Send the token that `GET /api/v1/auth/browser-session` returns as {CSRF_HEADER}.")
    return user
