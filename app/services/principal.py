"""Who is asking."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from app.core.exceptions import UnauthenticatedError
from app.core.security import AccessTokens
from app.models.user import Role
from app.services.live_sessions import LiveSessions


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as it can be believed."""

    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that makes a request."""

    user_id: UUID
    session_id: UUID
    is_admin: bool
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Turns an access token into a principal."""

    tokens: AccessTokens
    sessions: LiveSessions

    async def authenticate(self, token: str | None) -> Principal:
        """Verify the token and that its session lives and its account is active, or raise UnauthenticatedError."""
        if not token:
            raise UnauthenticatedError
        claims = self.tokens.verify(token)
        session = await self.sessions.find(claims)
        if session is None:
            raise UnauthenticatedError
        structlog.contextvars.bind_contextvars(user_id=str(claims.user_id))
        is_admin = session.role == Role.ADMIN
        return Principal(claims.user_id, claims.session_id, is_admin=is_admin, is_verified=session.is_verified)
