"""Who is asking: passwords for tokens, tokens for principals."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from app.core.exceptions import (
    InvalidGrantError,
    InvalidTokenRequestError,
    UnauthenticatedError,
    UnsupportedGrantTypeError,
)
from app.core.passwords import PasswordHasher
from app.core.security import AccessClaims, AccessTokens
from app.db.session import Database, Writer
from app.models.user import Role, User
from app.schemas.token import TokenRead, TokenRequest
from app.schemas.types import normalize_email


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
        """Verify the token and that its account is active, or raise UnauthenticatedError."""
        if not token:
            raise UnauthenticatedError
        claims = self.tokens.verify(token)
        # The connection goes back before the handler takes one: a request never holds two.
        async with self.database.reader() as session:
            role = await session.scalar(select(User.role).where(User.id == claims.user_id, User.is_active))
        if role is None:
            raise UnauthenticatedError
        return Principal(claims.user_id, claims.session_id, is_admin=role == Role.ADMIN)


@dataclass(frozen=True, slots=True)
class AuthService:
    """Grants tokens."""

    session: Writer
    database: Database
    passwords: PasswordHasher
    tokens: AccessTokens

    async def grant_token(self, request: TokenRequest) -> TokenRead:
        """Answer a token request, or raise what RFC 6749, section 5.2 calls its fault."""
        if request.grant_type != "password":
            raise UnsupportedGrantTypeError if request.grant_type else InvalidTokenRequestError
        password = request.password.get_secret_value()
        if not (request.username and password):
            raise InvalidTokenRequestError
        user_id = await self._check_password(normalize_email(request.username), password)
        token = self.tokens.issue(AccessClaims(user_id, session_id=uuid7()))
        return TokenRead(access_token=token, expires_in=int(self.tokens.lifetime.total_seconds()))

    async def _check_password(self, email: str, password: str) -> UUID:
        # The same work and the same answer whether the account is unknown, inactive or has another password.
        async with self.database.reader() as session:
            statement = select(User.id, User.hashed_password, User.is_active).where(User.email == email)
            account = (await session.execute(statement)).one_or_none()
        valid, rehashed = await self.passwords.verify(password, account and account.hashed_password)
        if account is None or not valid or not account.is_active:
            raise InvalidGrantError
        if rehashed:
            unchanged = User.hashed_password == account.hashed_password
            await self.session.execute(
                update(User).where(User.id == account.id, unchanged).values(hashed_password=rehashed)
            )
        user_id: UUID = account.id
        return user_id
