"""Checking a password that somebody claims to know, at a bounded rate."""

import hashlib
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, func, select, update

from app.core.exceptions import TooManyRequestsError
from app.core.hit_counters import Limit
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter, address_key
from app.core.refusals import InvalidGrantError, PasswordIncorrectError
from app.core.security_log import SecurityEvent, record
from app.db.session import Database
from app.models.user import User
from app.schemas.types import normalize_email
from app.services.principal import Client, Principal

# Not by account alone: whoever guesses at somebody's password from one address must not lock out the owner elsewhere.
PER_ACCOUNT_AND_ADDRESS = Limit("login-account", 10, 900)
PER_ADDRESS = Limit("login-address", 100, 900)
OVERALL = Limit("login-overall", 3000, 60)
PER_SESSION_OWNER = Limit("password", 10, 900)


def account_key(email: str) -> str:
    """Give one counter to all spellings of an address: case, Unicode forms, dots and a +suffix do not count.

    Hashed, because counters live in another system and addresses are personal.
    """
    folded = unicodedata.normalize("NFKC", normalize_email(email)).casefold()
    local, at, domain = folded.rpartition("@")
    canonical = f"{local.partition('+')[0].replace('.', '')}{at}{domain}"
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Compares passwords: the same work and answer whether the account is unknown or the password wrong."""

    database: Database
    passwords: PasswordHasher
    limiter: RateLimiter
    client: Client

    async def log_in(self, email: str, password: str) -> UUID:
        """Give the account, or raise InvalidGrantError or TooManyRequestsError."""
        await self._limit_login(email)
        statement = select(User.id, User.hashed_password, User.is_active)
        found = await self.database.reader().execute(statement.where(User.email == normalize_email(email)))
        account = found.one_or_none()
        valid, rehashed = await self.passwords.verify(password, account and account.hashed_password)
        if account is None or not valid or not account.is_active:
            record(SecurityEvent.LOGIN_FAILED, user_id=account.id if account else None, address=self.client.ip_address)
            raise InvalidGrantError
        await self.limiter.clear(PER_ACCOUNT_AND_ADDRESS, self._account_and_address(email))
        if rehashed:
            await self._store(account, rehashed)
        record(SecurityEvent.LOGIN_SUCCEEDED, user_id=account.id, address=self.client.ip_address)
        user_id: UUID = account.id
        return user_id

    async def confirm(self, principal: Principal, password: str) -> None:
        """Make sure that the caller knows their password, or raise PasswordIncorrectError or TooManyRequestsError."""
        await self.limiter.hit(PER_SESSION_OWNER, str(principal.user_id))
        statement = select(User.hashed_password).where(User.id == principal.user_id)
        hashed = await self.database.reader().scalar(statement)
        valid, _ = await self.passwords.verify(password, hashed)
        if not valid:
            record(SecurityEvent.PASSWORD_INCORRECT, user_id=principal.user_id)
            raise PasswordIncorrectError
        await self.limiter.clear(PER_SESSION_OWNER, str(principal.user_id))

    def _account_and_address(self, email: str) -> str:
        return f"{account_key(email)}:{address_key(self.client.ip_address)}"

    async def _limit_login(self, email: str) -> None:
        try:
            await self.limiter.hit(PER_ACCOUNT_AND_ADDRESS, self._account_and_address(email))
            await self.limiter.hit(PER_ADDRESS, address_key(self.client.ip_address))
            await self.limiter.hit(OVERALL, "all")
        except TooManyRequestsError:
            record(SecurityEvent.LOGIN_LIMITED, address=self.client.ip_address)
            raise

    async def _store(self, account: Row[UUID, str, bool], hashed: str) -> None:
        """Keep the hash with the parameters of today, unless the password has changed meanwhile."""
        async with self.database.unit_of_work() as session:
            await session.execute(
                update(User)
                .where(User.id == account.id, User.hashed_password == account.hashed_password)
                .values(hashed_password=hashed, updated_at=func.now())
            )
