"""Verify passwords, with limits on guessing, and check them again under the lock of the account."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select, update

from app.core.config import Settings
from app.core.exceptions import TooManyRequestsError, UnitOfWorkLostError
from app.core.passwords import PasswordHasher
from app.core.refusals import InvalidGrantError, PasswordIncorrectError
from app.db.database import Database
from app.db.queue import enqueue
from app.db.session import Session
from app.models.session import UserSession
from app.models.user import User
from app.observability.security_log import SecurityEvent, record
from app.ratelimit.counters import Limit
from app.ratelimit.limiter import RateLimiter, address_key
from app.schemas.mail import AccountNotice, SendAccountNotice
from app.schemas.types import normalize_email
from app.services.principal import Client, Principal

PER_ACCOUNT_AND_ADDRESS = Limit("login-account-address", 10, 900)
PER_ACCOUNT = Limit("login-account", 100, 3600)
PER_ADDRESS = Limit("login-address", 100, 900)
OVERALL = Limit("login-overall", 3000, 60)
PER_SESSION_OWNER = Limit("password", 10, 900)
NOTICES = Limit("login-notice", 1, 86_400)


def account_key(email: str) -> str:
    """Return the counter key of an account, which need not exist.

    Hashed, because counters live in another system and addresses are personal data.
    """
    return hashlib.sha256(normalize_email(email).encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class VerifiedPassword:
    """An account whose password was verified, without a lock: other requests may have changed it since."""

    user_id: UUID
    email: str
    full_name: str | None
    hashed_password: str
    rehashed: str | None = None
    """A new hash, if the parameters of argon2 have changed."""

    async def lock(self, db: Session) -> None:
        """Lock the account until the end of the transaction, and store a new hash if there is one.

        Raises UnitOfWorkLostError, so that RetryMiddleware runs the request again, if the password, the address or the
        state of the account has changed since the password was verified.
        """
        statement = select(User.email, User.hashed_password, User.is_active).where(User.id == self.user_id)
        row = (await db.execute(statement.with_for_update(key_share=True))).one_or_none()
        verified = (self.email, self.hashed_password, True)
        if row is None or tuple(row) != verified:
            raise UnitOfWorkLostError
        if self.rehashed:
            values = {"hashed_password": self.rehashed, "updated_at": func.now()}
            await db.execute(update(User).where(User.id == self.user_id).values(values))


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Verifies passwords, with the same work and result for an unknown account and a wrong password."""

    database: Database
    passwords: PasswordHasher
    limiter: RateLimiter
    client: Client
    settings: Settings

    async def log_in(self, email: str, password: str) -> VerifiedPassword:
        """Verify the password of a login; raise InvalidGrantError or TooManyRequestsError."""
        is_counted = await self._limit_login(email)
        statement = select(
            User.id, User.email, User.full_name, User.hashed_password, User.is_active, User.is_verified
        ).where(User.email == normalize_email(email))
        async with self.database.read_only() as db:
            account = (await db.execute(statement)).one_or_none()
        valid, rehashed = await self.passwords.verify(password, account and account.hashed_password)
        may_log_in = account is not None and account.is_active and (account.is_verified or self._admits_unverified)
        if account is None or not valid or not may_log_in:
            record(SecurityEvent.LOGIN_FAILED, user_id=account.id if account else None, address=self.client.ip_address)
            raise InvalidGrantError
        await self.limiter.clear(PER_ACCOUNT_AND_ADDRESS, self._account_and_address(email))
        if is_counted:
            await self.limiter.refund(PER_ACCOUNT, account_key(email))
        return VerifiedPassword(account.id, account.email, account.full_name, account.hashed_password, rehashed)

    async def confirm(self, principal: Principal, password: str) -> VerifiedPassword:
        """Verify the password of the caller; raise PasswordIncorrectError or TooManyRequestsError."""
        await self.limiter.hit(PER_SESSION_OWNER, str(principal.user_id))
        statement = select(User.email, User.full_name, User.hashed_password).where(User.id == principal.user_id)
        async with self.database.read_only() as db:
            account = (await db.execute(statement)).one_or_none()
        valid, _ = await self.passwords.verify(password, account and account.hashed_password)
        if account is None or not valid:
            record(SecurityEvent.PASSWORD_INCORRECT, user_id=principal.user_id)
            raise PasswordIncorrectError
        await self.limiter.clear(PER_SESSION_OWNER, str(principal.user_id))
        return VerifiedPassword(principal.user_id, account.email, account.full_name, account.hashed_password)

    async def reset_failed_logins(self, email: str) -> None:
        """Reset the counters of failed logins of an account, whose owner has reset the password from this address."""
        await self.limiter.clear(PER_ACCOUNT, account_key(email))
        await self.limiter.clear(PER_ACCOUNT_AND_ADDRESS, self._account_and_address(email))

    @property
    def _admits_unverified(self) -> bool:
        return self.settings.registration_reveals_accounts

    def _account_and_address(self, email: str) -> str:
        return f"{account_key(email)}:{address_key(self.client.ip_address)}"

    async def _limit_login(self, email: str) -> bool:
        """Count an attempt, or raise TooManyRequestsError; return whether it was counted for the account."""
        try:
            await self.limiter.hit(PER_ACCOUNT_AND_ADDRESS, self._account_and_address(email))
            await self.limiter.hit(PER_ADDRESS, address_key(self.client.ip_address))
            await self.limiter.hit(OVERALL, "all")
            return await self._limit_account(email)
        except TooManyRequestsError:
            record(SecurityEvent.LOGIN_LIMITED, address=self.client.ip_address)
            raise

    async def _limit_account(self, email: str) -> bool:
        """Limit attempts at one account across all networks, except those in which it has a live session."""
        try:
            await self.limiter.hit(PER_ACCOUNT, account_key(email))
        except TooManyRequestsError:
            if address_key(self.client.ip_address) not in await self._networks_of(email):
                await self._notify_owner(email)
                raise
            return False
        return True

    async def _networks_of(self, email: str) -> Sequence[str]:
        """Return the networks in which the account has a live session."""
        statement = (
            select(UserSession.ip_address)
            .join(User, User.id == UserSession.user_id)
            .where(User.email == normalize_email(email), UserSession.expires_at > datetime.now(UTC))
            .where(UserSession.ip_address.is_not(None))
            .distinct()
        )
        async with self.database.read_only() as db:
            return [address_key(address) for address in await db.scalars(statement)]

    async def _notify_owner(self, email: str) -> None:
        """Notify the owner, once a day, about the failed logins, with a link to reset the password."""
        try:
            await self.limiter.hit(NOTICES, account_key(email))
        except TooManyRequestsError:
            return
        async with self.database.unit_of_work() as db:
            notice = SendAccountNotice(email=normalize_email(email), notice=AccountNotice.LOGIN_ATTEMPTS)
            enqueue(db, notice)
