"""Tokens, sessions, and links from mails."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Request, Response

from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.core.refusals import (
    InvalidGrantError,
    InvalidTokenRequestError,
    PasswordTooCommonError,
    TokenInvalidError,
    UnsupportedGrantTypeError,
)
from app.dependencies import HOUR, MAILS, Account, Check, CurrentUser, Db, Public, RequestClient, limited
from app.schemas.account import EmailVerification, PasswordForgotten, PasswordReset
from app.schemas.session import SessionList
from app.schemas.token import TokenRead, TokenRequest, TokenRevocation
from app.services.account_service import RecoveryService
from app.services.auth_service import AuthService
from app.services.session_service import SessionIssuer, SessionService
from app.state import state_of


async def get_auth(request: Request, db: Db, check: Check, client: RequestClient) -> AuthService:
    """Return the service that grants and revokes tokens."""
    state = state_of(request)
    return AuthService(db, SessionIssuer(db, state["settings"]), check, state["access_tokens"], client)


async def get_sessions(db: Db, user: CurrentUser) -> SessionService:
    """Return the service that lists and revokes the sessions of the caller."""
    return SessionService(db, user)


async def get_recovery(request: Request, db: Db, check: Check) -> RecoveryService:
    """Return the service that acts on links from mails."""
    state = state_of(request)
    return RecoveryService(db, state["database"], state["passwords"], check)


Auth = Annotated[AuthService, Depends(get_auth)]
Sessions = Annotated[SessionService, Depends(get_sessions)]
Recovery = Annotated[RecoveryService, Depends(get_recovery)]
TokenForm = Annotated[TokenRequest, Form()]
RevocationForm = Annotated[TokenRevocation, Form()]
SessionId = Annotated[UUID, Path(description="The id of a session.")]
router = APIRouter(prefix="/auth", tags=["auth"])
REFUSALS = problems(InvalidGrantError, InvalidTokenRequestError, UnsupportedGrantTypeError)
BAD_LINK = problems(TokenInvalidError)
TOO_COMMON = problems(PasswordTooCommonError)
LINKS = limited("links", 30, HOUR, by="address")
RESETS = limited("resets", 20, HOUR, by="address")


@router.post("/token", responses=REFUSALS, dependencies=[Public])
async def create_token(auth: Auth, form: TokenForm) -> TokenRead:
    """Exchange a password or a refresh token for an access token (RFC 6749, sections 4.3 and 6)."""
    return await auth.grant_token(form)


@router.post("/revoke", response_class=Response, dependencies=[Public])
async def revoke_token(auth: Auth, form: RevocationForm) -> None:
    """Log out: end the session of an access or refresh token (RFC 7009). Unknown tokens are ignored."""
    await auth.revoke_token(form.token.get_secret_value())


@router.get("/sessions")
async def list_sessions(sessions: Sessions) -> SessionList:
    """List your sessions, newest first."""
    return await sessions.list()


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(sessions: Sessions) -> None:
    """End all your sessions except the current one."""
    await sessions.revoke_others()


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(NotFoundError))
async def revoke_session(sessions: Sessions, session_id: SessionId) -> None:
    """End one of your sessions."""
    await sessions.revoke(session_id)


@router.post("/verify-email", status_code=204, responses=BAD_LINK, dependencies=[Public, LINKS])
async def verify_email(recovery: Recovery, data: EmailVerification) -> None:
    """Confirm your e-mail address, or a new one, with the token from the mail."""
    await recovery.verify_email(data.token.get_secret_value())


@router.post("/verify-email/request", status_code=202, response_class=Response, dependencies=[MAILS])
async def request_verification(account: Account) -> None:
    """Request another mail to confirm your e-mail address."""
    await account.request_verification()


@router.post("/password/forgot", status_code=202, response_class=Response, dependencies=[Public, RESETS])
async def forgot_password(recovery: Recovery, data: PasswordForgotten) -> None:
    """Request a mail to reset a password. The response does not reveal whether the account exists."""
    await recovery.request_reset(data.email)


@router.post("/password/reset", status_code=204, responses={**BAD_LINK, **TOO_COMMON}, dependencies=[Public, LINKS])
async def reset_password(recovery: Recovery, data: PasswordReset) -> None:
    """Set a new password with the token from the mail. All sessions end."""
    await recovery.reset_password(data)
