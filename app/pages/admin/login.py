"""Log in to the administration, and out of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.exceptions import ForbiddenError, TooManyRequestsError
from app.core.refusals import InvalidGrantError
from app.dependencies import Check, Db, Public, RequestClient, limited
from app.pages.html import as_page, render
from app.pages.origin import same_origin
from app.pages.sessions import LOGIN_PATH, PageUser, cookies_of, set_cookie
from app.services.browser_session_service import BrowserSessionService
from app.services.session_service import SessionService
from app.state import state_of

LOGINS = limited("browser logins", 30, 600, by="address")
router = APIRouter(include_in_schema=False, dependencies=[Depends(as_page)])
Next = Annotated[str, Query(max_length=500)]
Text = Annotated[str, Form(max_length=1024)]


async def get_browser_sessions(request: Request, db: Db, check: Check, client: RequestClient) -> BrowserSessionService:
    """Return the service that opens sessions of browsers."""
    return BrowserSessionService(db, check, client, state_of(request)["settings"])


BrowserSessions = Annotated[BrowserSessionService, Depends(get_browser_sessions)]


def inside(path: str) -> str:
    """Return a path of the administration; another one could lead to another site."""
    is_inside = path == "/admin" or path.startswith(("/admin/", "/admin?"))
    return path if is_inside and "\\" not in path and ".." not in path else "/admin"


@router.get(LOGIN_PATH, dependencies=[Public])
async def show_login(request: Request, next: Next = "/admin") -> HTMLResponse:  # noqa: A002  the usual name
    """Ask for address and password."""
    return render(request, "login.html", target=inside(next), email="", error=None)


@router.post(LOGIN_PATH, dependencies=[Public, Depends(same_origin), LOGINS])
async def log_in(
    request: Request,
    sessions: BrowserSessions,
    email: Text = "",
    password: Text = "",
    next: Text = "/admin",  # noqa: A002  the usual name
) -> Response:
    """Open a session, and set its cookie."""
    try:
        claims = await sessions.log_in(email, password)
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
    cookies = cookies_of(request)
    response = RedirectResponse(LOGIN_PATH, 303)
    response.delete_cookie(cookies.name, path="/", secure=cookies.is_secure, httponly=True)
    return response
