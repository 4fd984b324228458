"""Log in to the administration, and out of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.api.v1.browser_sessions import BrowserSessions
from app.browser.origin import require_same_origin
from app.browser.session import cookies_of, delete_cookie, set_cookie
from app.core.exceptions import ForbiddenError, TooManyRequestsError
from app.core.refusals import InvalidGrantError
from app.dependencies import Db, Public, limited
from app.pages.html import PageRoute, render
from app.pages.sessions import LOGIN_PATH, PageUser
from app.services.session_service import SessionService

LOGINS = limited("browser logins", 30, 600, by="address")
router = APIRouter(include_in_schema=False, route_class=PageRoute)
Next = Annotated[str, Query(max_length=500)]
Text = Annotated[str, Form(max_length=1024)]


def inside(path: str) -> str:
    """Return a path of the administration; another one could lead to another site."""
    is_inside = path == "/admin" or path.startswith(("/admin/", "/admin?"))
    return path if is_inside and "\\" not in path and ".." not in path else "/admin"


@router.get(LOGIN_PATH, dependencies=[Public])
async def show_login(request: Request, next: Next = "/admin") -> HTMLResponse:  # noqa: A002  the usual name
    """Ask for address and password."""
    return render(request, "login.html", target=inside(next), email="", error=None)


@router.post(LOGIN_PATH, dependencies=[Public, Depends(require_same_origin), LOGINS])
async def log_in(
    request: Request,
    sessions: BrowserSessions,
    email: Text = "",
    password: Text = "",
    next: Text = "/admin",  # noqa: A002  the usual name
) -> Response:
    """Open a session, and set its cookie."""
    try:
        claims = await sessions.log_in(email, password, only_administrators=True)
    except (InvalidGrantError, TooManyRequestsError, ForbiddenError) as error:
        await sessions.db.rollback()
        page = render(request, "login.html", status=error.status, target=inside(next), email=email, error=error.detail)
        page.headers.update(error.headers)
        return page
    response = RedirectResponse(inside(next), 303)
    set_cookie(response, cookies_of(request), claims)
    return response


@router.post("/admin/logout")
async def log_out(request: Request, user: PageUser, db: Db) -> Response:
    """End the session. It may belong to an account that is no administrator any more."""
    await SessionService(db, user).revoke(user.session_id)
    response = RedirectResponse(LOGIN_PATH, 303)
    delete_cookie(request, response)
    return response
