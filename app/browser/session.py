"""Sessions of browsers, in a cookie: for the pages, and for front ends of this service."""

from starlette.requests import Request
from starlette.responses import Response

from app.browser.origin import READING, require_known_origin
from app.core.browser_cookie import BrowserCookies
from app.core.exceptions import ForbiddenError
from app.core.security import AccessClaims
from app.services.live_sessions import principal_of
from app.services.principal import Principal
from app.state import state_of

RENEW_AFTER_SECONDS = 60.0
"""A cookie that is younger, and younger than a quarter of the idle time, is not written again."""
CSRF_HEADER = "X-CSRF-Token"
RENEWED = "renewed_cookie"
"""The key in the state of the request; a middleware adds the cookie to every kind of response."""


def cookies_of(request: Request) -> BrowserCookies:
    """Return the writer and reader of cookies."""
    return BrowserCookies.from_settings(state_of(request)["settings"])


def read_cookie(request: Request, name: str) -> str:
    """Return the value of a cookie; nothing if it was sent twice.

    Not `request.cookies`, which ignores characters around a name that browsers keep: with them another host could set
    a cookie that passes for one with the prefix `__Host-`.
    """
    pairs = [pair.strip(" \t").partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";")]
    values = [value for found, _, value in pairs if found == name]
    return values[0] if len(values) == 1 else ""


def read_session_cookie(request: Request, cookies: BrowserCookies) -> tuple[AccessClaims, float] | None:
    """Return the claims of the session cookie, and the seconds since its last use. The session may have ended."""
    return cookies.read(read_cookie(request, cookies.name))


def set_cookie(response: Response, cookies: BrowserCookies, claims: AccessClaims) -> None:
    """Set the session cookie (HttpOnly, SameSite=Lax)."""
    response.set_cookie(
        cookies.name, cookies.write(claims), secure=cookies.is_secure, httponly=True, samesite="lax", path="/"
    )


def delete_cookie(request: Request, response: Response) -> None:
    """Delete the session cookie."""
    request.scope["state"].pop(RENEWED, None)
    cookies = cookies_of(request)
    response.delete_cookie(cookies.name, path="/", secure=cookies.is_secure, httponly=True, samesite="lax")


async def find_user(request: Request) -> Principal | None:
    """Return the user of the session cookie, if the session is live; renew its idle timeout."""
    if "cookie" not in request.headers:
        return None
    cookies = cookies_of(request)
    found = read_session_cookie(request, cookies)
    session = await state_of(request)["sessions"].find(found[0]) if found else None
    if found is None or session is None:
        return None
    claims, age = found
    if age > min(RENEW_AFTER_SECONDS, cookies.idle_seconds / 4):
        carrier = Response()
        set_cookie(carrier, cookies, claims)
        request.scope["state"][RENEWED] = carrier.headers["set-cookie"].encode()
    return principal_of(claims, session)


async def find_api_user(request: Request) -> Principal | None:
    """Return the user of the session cookie for an operation of the API; None without a live session.

    A request that changes something must come from a known origin and carry the token of its session in
    `X-CSRF-Token`, or ForbiddenError is raised.
    """
    user = await find_user(request)
    if user is not None and request.method not in READING:
        await require_known_origin(request)
        if not cookies_of(request).is_csrf_token(user.session_id, request.headers.get(CSRF_HEADER, "")):
            raise ForbiddenError(f"Send the header {CSRF_HEADER} with the token from GET /api/v1/auth/browser-session.")
    return user
