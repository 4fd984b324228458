"""Granting and revoking tokens (RFC 6749 and RFC 7009)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from app.core.exceptions import UnauthenticatedError
from app.core.opaque_tokens import hash_token
from app.core.refusals import InvalidTokenRequestError, UnsupportedGrantTypeError
from app.core.security import AccessClaims, AccessTokens
from app.db.session import Session
from app.models.refresh_token import RefreshToken
from app.models.session import UserSession
from app.observability.security_log import SecurityEvent, record
from app.schemas.token import TokenRead, TokenRequest
from app.services.password_check import PasswordCheck
from app.services.principal import Client
from app.services.session_service import Grant, SessionIssuer


@dataclass(frozen=True, slots=True)
class AuthService:
    """Exchanges passwords and refresh tokens for access tokens, and revokes sessions by any of their tokens."""

    db: Session
    issuer: SessionIssuer
    check: PasswordCheck
    tokens: AccessTokens
    client: Client

    async def grant_token(self, request: TokenRequest) -> TokenRead:
        """Grant a token, or raise an error of RFC 6749, section 5.2."""
        match request.grant_type:
            case "password":
                grant = await self._by_password(request)
            case "refresh_token":
                grant = await self._by_refresh_token(request)
            case "":
                raise InvalidTokenRequestError("Send grant_type: password or refresh_token.")
            case _:
                raise UnsupportedGrantTypeError
        return TokenRead(
            access_token=self.tokens.issue(AccessClaims(grant.user_id, grant.session_id)),
            expires_in=int(self.tokens.lifetime.total_seconds()),
            refresh_token=grant.refresh_token,
        )

    async def revoke_token(self, token: str) -> None:
        """End the session of an access or refresh token; do nothing for an unknown token."""
        session_id = await self._session_of(token)
        statement = delete(UserSession).where(UserSession.id == session_id).returning(UserSession.user_id)
        user_id = await self.db.scalar(statement) if session_id else None
        if session_id is not None and user_id is not None:
            self.db.mark_access_changed(session_id)
            record(SecurityEvent.SESSION_REVOKED, user_id=user_id, session_id=str(session_id))

    async def _by_password(self, request: TokenRequest) -> Grant:
        password = request.password.get_secret_value()
        if not (request.username and password):
            raise InvalidTokenRequestError("Send username and password with grant_type=password.")
        account = await self.check.log_in(request.username, password)
        await account.lock(self.db)
        grant = await self.issuer.open(account.user_id, self.client)
        record(SecurityEvent.LOGIN_SUCCEEDED, user_id=account.user_id, address=self.client.ip_address)
        return grant

    async def _by_refresh_token(self, request: TokenRequest) -> Grant:
        token = request.refresh_token.get_secret_value()
        if not token:
            raise InvalidTokenRequestError("Send refresh_token with grant_type=refresh_token.")
        grant = await self.issuer.rotate(token)
        record(SecurityEvent.SESSION_REFRESHED, user_id=grant.user_id, session_id=str(grant.session_id))
        return grant

    async def _session_of(self, token: str) -> UUID | None:
        # By the session and not by the string: another spelling of the same token would stay valid.
        try:
            return self.tokens.verify(token).session_id
        except UnauthenticatedError:
            statement = select(RefreshToken.session_id).where(RefreshToken.token_hash == hash_token(token))
            return await self.db.scalar(statement)
