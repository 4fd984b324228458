"""Sessions and tokens, without HTTP."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from app.core.config import Settings
from app.core.exceptions import NotFoundError
from app.core.refusals import InvalidGrantError, InvalidTokenRequestError, UnsupportedGrantTypeError
from app.core.security import AccessTokens
from app.db.session import Session
from app.models.refresh_token import RefreshToken
from app.models.session import UserSession
from app.models.user import User
from app.schemas.token import TokenRequest
from app.services.auth_service import AuthService
from app.services.password_check import PasswordCheck
from app.services.principal import Principal
from app.services.session_service import SessionIssuer, SessionService
from tests.factories import PASSWORD
from tests.services.conftest import CLIENT, Users


async def count_sessions(db: Session) -> int:
    """Return how many sessions there are."""
    return await db.scalar(select(func.count()).select_from(UserSession)) or 0


async def test_a_refresh_token_is_exchanged_once(db: Session, users: Users, settings: Settings) -> None:
    """Within the grace period the same successor is returned; after it the session ends."""
    keeper = SessionIssuer(db, settings)
    opened = await keeper.open((await users.create()).id, CLIENT)
    first = await keeper.rotate(opened.refresh_token)
    assert first.session_id == opened.session_id
    assert await keeper.rotate(opened.refresh_token) == first
    await db.execute(update(RefreshToken).values(used_at=RefreshToken.used_at - timedelta(hours=1)))
    with pytest.raises(InvalidGrantError):
        await keeper.rotate(opened.refresh_token)
    assert await count_sessions(db) == 0


async def test_a_session_of_a_disabled_account_cannot_be_refreshed(
    db: Session, users: Users, settings: Settings
) -> None:
    """The same holds for an idle session."""
    keeper, ada = SessionIssuer(db, settings), await users.create()
    opened = await keeper.open(ada.id, CLIENT)
    await db.execute(update(User).values(is_active=False))
    with pytest.raises(InvalidGrantError):
        await keeper.rotate(opened.refresh_token)
    await db.execute(update(User).values(is_active=True))
    await db.execute(update(UserSession).values(last_used_at=UserSession.last_used_at - timedelta(days=365)))
    with pytest.raises(InvalidGrantError):
        await keeper.rotate(opened.refresh_token)


async def test_sessions_are_listed_and_revoked(db: Session, users: Users, settings: Settings) -> None:
    """Those of other accounts raise NotFoundError."""
    keeper, ada, bob = SessionIssuer(db, settings), await users.create(), await users.create("b@example.com")
    here, there, theirs = [await keeper.open(user.id, CLIENT) for user in (ada, ada, bob)]
    await db.flush()
    service = SessionService(db, Principal(ada.id, here.session_id, is_admin=False))
    listed = (await service.list()).items
    assert {session.id: session.is_current for session in listed} == {here.session_id: True, there.session_id: False}
    with pytest.raises(NotFoundError):
        await service.revoke(theirs.session_id)
    await service.revoke_others()
    assert [session.id for session in (await service.list()).items] == [here.session_id]


async def test_tokens_are_granted_and_revoked(
    db: Session, users: Users, settings: Settings, check: PasswordCheck, tokens: AccessTokens
) -> None:
    """With a password and with a refresh token."""
    ada = await users.create(commit=True)
    service = AuthService(db, SessionIssuer(db, settings), check, tokens, CLIENT)
    password = TokenRequest(grant_type="password", username=ada.email, password=SecretStr(PASSWORD))
    granted = await service.grant_token(password)
    assert tokens.verify(granted.access_token).user_id == ada.id
    refresh = TokenRequest(grant_type="refresh_token", refresh_token=SecretStr(granted.refresh_token))
    refreshed = await service.grant_token(refresh)
    await service.revoke_token(refreshed.access_token)
    assert await count_sessions(db) == 0
    await service.revoke_token("unknown")


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"grant_type": "password", "username": "ada@example.com", "password": "wrong"}, InvalidGrantError),
        ({"grant_type": "password"}, InvalidTokenRequestError),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, InvalidGrantError),
        ({"grant_type": "refresh_token"}, InvalidTokenRequestError),
        ({"grant_type": "implicit"}, UnsupportedGrantTypeError),
        ({}, InvalidTokenRequestError),
    ],
)
async def test_a_bad_token_request_is_refused(
    db: Session, settings: Settings, check: PasswordCheck, tokens: AccessTokens, form: dict[str, str], refusal: type
) -> None:
    """With the errors of RFC 6749, section 5.2."""
    service = AuthService(db, SessionIssuer(db, settings), check, tokens, CLIENT)
    with pytest.raises(refusal):
        await service.grant_token(TokenRequest.model_validate(form))
