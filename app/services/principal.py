"""Who is asking."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import bindparam, func, select

from app.core.exceptions import UnauthenticatedError
from app.core.security import AccessTokens
from app.db.session import Database
from app.models.session import UserSession
from app.models.user import Role, User

LIVE_SESSION = select(User.role).where(
    UserSession.id == bindparam("session_id"),
    UserSession.user_id == bindparam("user_id"),
    UserSession.expires_at > func.now(),
    User.id == UserSession.user_id,
    User.is_active,
)


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


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Turns an access token into a principal, on a short read of its own."""

    database: Database
    tokens: AccessTokens

    async def authenticate(self, token: str | None) -> Principal:
        """Verify the token and that its session lives and its account is active, or raise UnauthenticatedError."""
        if not token:
            raise UnauthenticatedError
        claims = self.tokens.verify(token)
        parameters = {"session_id": claims.session_id, "user_id": claims.user_id}
        # Its connection goes back before the handler takes one: a request never holds two.
        role = await self.database.primary_reader().scalar(LIVE_SESSION, parameters)
        if role is None:
            raise UnauthenticatedError
        structlog.contextvars.bind_contextvars(user_id=str(claims.user_id))
        return Principal(claims.user_id, claims.session_id, is_admin=role == Role.ADMIN)
