"""Sessions in cookies, for front ends of this service."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.api.openapi import problems
from app.browser.origin import require_known_origin
from app.browser.session import cookies_of, delete_cookie, read_session_cookie, set_cookie
from app.core.exceptions import ForbiddenError
from app.core.refusals import InvalidGrantError
from app.dependencies import Check, CurrentUser, Db, OptionalUser, Public, RequestClient, limited
from app.schemas.browser_session import BrowserLogin, BrowserSessionRead
from app.services.browser_session_service import BrowserSessionService
from app.services.session_service import SessionService
from app.state import state_of


async def get_browser_sessions(request: Request, db: Db, check: Check, client: RequestClient) -> BrowserSessionService:
    """Return the service that opens sessions of browsers."""
    found = read_session_cookie(request, cookies_of(request))
    previous = found[0] if found else None
    return BrowserSessionService(db, check, client, state_of(request)["settings"], previous)


BrowserSessions = Annotated[BrowserSessionService, Depends(get_browser_sessions)]
LOGINS = limited("front end logins", 100, 600, by="address")
KNOWN_ORIGIN = Depends(require_known_origin)
router = APIRouter(prefix="/auth/browser-session", tags=["browser-session"])


@router.post("", responses=problems(InvalidGrantError, ForbiddenError), dependencies=[Public, KNOWN_ORIGIN, LOGINS])
async def create_browser_session(
    request: Request, response: Response, sessions: BrowserSessions, data: BrowserLogin
) -> BrowserSessionRead:
    """Log in with a password, and set the session cookie. The session of an earlier cookie ends.

    The request must come from a page of this service or of one of `ALLOWED_ORIGINS`.
    """
    claims = await sessions.log_in(data.email, data.password.get_secret_value())
    cookies = cookies_of(request)
    set_cookie(response, cookies, claims)
    return BrowserSessionRead(csrf_token=cookies.csrf_token(claims.session_id))


@router.get("")
async def read_browser_session(request: Request, user: CurrentUser) -> BrowserSessionRead:
    """Read the CSRF token of your session, for example after a page reload."""
    return BrowserSessionRead(csrf_token=cookies_of(request).csrf_token(user.session_id))


@router.delete("", status_code=204, responses=problems(ForbiddenError))
async def delete_browser_session(request: Request, response: Response, user: OptionalUser, db: Db) -> None:
    """Log out: end the session, if it is live, and delete the cookie."""
    if user is not None:
        await SessionService(db, user).revoke(user.session_id)
    delete_cookie(request, response)
