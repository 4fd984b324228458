"""Browser sessions: authenticate requests by cookie."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.api.access import LEVELS, Access
from app.core.browser_cookie import BrowserCookies
from app.core.exceptions import ForbiddenError
from app.core.security import AccessClaims
from app.dependencies import READING
from app.models.user import Role
from app.observability.security_log import SecurityEvent, record
from app.pages.origin import same_origin
from app.services.principal import Principal
from app.state import state_of

LOGIN_PATH = "/admin/login"
RENEW_AFTER_SECONDS = 60.0
"""A cookie that is younger, and younger than a quarter of the idle time, is not written again."""
LONGEST_TARGET = 400


class LoginRequired(Exception):  # noqa: N818  a redirect, no error
    """The page needs a login."""


async def redirect_to_login(request: Request, _: Exception) -> Response:
    """Ask for a login, and lead back afterwards."""
    asked = f"{request.url.path}?{request.url.query}".rstrip("?")
    target = asked if request.method in READING and len(asked) <= LONGEST_TARGET else "/admin"
    return RedirectResponse(f"{LOGIN_PATH}?next={quote(target)}", 303)


def cookies_of(request: Request) -> BrowserCookies:
    """Return the writer and reader of cookies."""
    return BrowserCookies.from_settings(state_of(request)["settings"])


def set_cookie(response: Response, cookies: BrowserCookies, claims: AccessClaims) -> None:
    """Write the cookie of a session: not for scripts, and not for requests of other sites."""
    response.set_cookie(
        cookies.name, cookies.write(claims), secure=cookies.is_secure, httponly=True, samesite="lax", path="/"
    )


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
    is_admin = session.role == Role.ADMIN
    return Principal(claims.user_id, claims.session_id, is_admin=is_admin, is_verified=session.is_verified)


async def page_user(request: Request, response: Response) -> Principal:
    """Return the user who is logged in, or raise LoginRequired.

    A request that changes something must come from a page of this service and carry the token of the session.
    """
    user = await find_user(request, response)
    if user is None:
        raise LoginRequired
    if request.method not in READING:
        await same_origin(request)
        form: FormData = await request.form()
        if not cookies_of(request).is_csrf_token(user.session_id, str(form.get("csrf_token", ""))):
            raise ForbiddenError("The form is of another session. Go back, reload the page, and try again.")
    return user


PageUser = Annotated[Principal, Depends(page_user)]
"""The user who is logged in with a browser."""


async def page_administrator(user: PageUser) -> Principal:
    """Return the administrator who is logged in, or raise ForbiddenError."""
    if not user.is_admin:
        record(SecurityEvent.ACCESS_DENIED, user_id=user.user_id)
        raise ForbiddenError
    return user


LEVELS[page_user] = Access.USER
LEVELS[page_administrator] = Access.ADMINISTRATOR
PageAdministrator = Annotated[Principal, Depends(page_administrator)]
"""The administrator who is logged in with a browser."""
