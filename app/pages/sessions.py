"""Access levels of pages, by session cookie."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.api.access import LEVELS, Access
from app.browser.origin import READING, require_same_origin
from app.browser.session import cookies_of, find_user
from app.core.exceptions import ForbiddenError
from app.observability.security_log import SecurityEvent, record
from app.services.principal import Principal

LOGIN_PATH = "/admin/login"
LONGEST_TARGET = 400


class LoginRequired(Exception):  # noqa: N818  a redirect, no error
    """The page needs a login."""


async def redirect_to_login(request: Request, _: Exception) -> Response:
    """Ask for a login, and lead back afterwards."""
    asked = f"{request.url.path}?{request.url.query}".rstrip("?")
    target = asked if request.method in READING and len(asked) <= LONGEST_TARGET else "/admin"
    return RedirectResponse(f"{LOGIN_PATH}?next={quote(target)}", 303)


async def page_user(request: Request) -> Principal:
    """Return the user who is logged in, or raise LoginRequired.

    A request that changes something must come from a page of this service and carry the token of the session. A read
    with an `Origin` comes from a script, which must not be of another site: CORS would let known origins read pages.
    """
    user = await find_user(request)
    if user is None:
        raise LoginRequired
    if request.method not in READING or "origin" in request.headers:
        await require_same_origin(request)
    if request.method not in READING:
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
