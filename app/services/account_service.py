"""Changes of an account that need its password or a link from a mail."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import SQLColumnExpression, select, update

from app.core.config import Settings
from app.core.exceptions import TooManyRequestsError
from app.core.password_policy import contains_own_words
from app.core.passwords import PasswordHasher
from app.core.refusals import EmailTakenError, PasswordTooCommonError, TokenInvalidError
from app.db.database import Database
from app.db.queue import enqueue
from app.db.session import Session
from app.models.one_time_token import Purpose
from app.models.user import User
from app.observability.security_log import SecurityEvent, record
from app.ratelimit.counters import Limit
from app.ratelimit.limiter import RateLimiter
from app.schemas.account import EmailChange, PasswordChange, PasswordReset
from app.schemas.mail import (
    AccountNotice,
    SendAccountNotice,
    SendChangeEmailMail,
    SendResetPasswordMail,
    SendVerifyEmailMail,
)
from app.services.one_time_tokens import find_account, issue_token, use_token, void_tokens
from app.services.password_check import PasswordCheck, account_key
from app.services.principal import Principal
from app.services.session_service import revoke_sessions

EXISTS_NOTICES = Limit("exists-notice", 1, 86_400)


@dataclass(frozen=True, slots=True)
class AccountService:
    """Changes of the caller's account that need the password."""

    db: Session
    caller: Principal
    check: PasswordCheck
    passwords: PasswordHasher
    settings: Settings

    async def change_password(self, data: PasswordChange) -> None:
        """Set a new password, end all other sessions and invalidate all links.

        Raises PasswordIncorrectError and PasswordTooCommonError.
        """
        account = await self.check.confirm(self.caller, data.current_password.get_secret_value())
        new_password = data.new_password.get_secret_value()
        refuse_own_words(new_password, account.email, account.full_name)
        hashed = await self.passwords.hash(new_password)
        await account.lock(self.db)
        await self.db.execute(update(User).where(User.id == account.user_id).values(hashed_password=hashed))
        await void_tokens(self.db, account.user_id)
        await revoke_sessions(self.db, account.user_id, by=account.user_id, except_session_id=self.caller.session_id)
        enqueue(self.db, SendAccountNotice(email=account.email, notice=AccountNotice.PASSWORD_CHANGED))
        record(SecurityEvent.PASSWORD_CHANGED, user_id=account.user_id)

    async def request_email_change(self, data: EmailChange) -> None:
        """Send a link to the new address and a notice to the current one. Using the link changes the address.

        Raises PasswordIncorrectError, and EmailTakenError if REGISTRATION_REVEALS_ACCOUNTS is on. If it is off, the
        owner of the new address gets a mail instead.
        """
        account = await self.check.confirm(self.caller, data.password.get_secret_value())
        await account.lock(self.db)
        is_taken = await self.db.scalar(select(User.id).where(User.email == data.email)) is not None
        if is_taken and self.settings.registration_reveals_accounts:
            raise EmailTakenError
        if is_taken:
            await notify_of_existing_account(self.db, self.check.limiter, data.email)
        else:
            # A placeholder: the job issues the real token unless this one was invalidated.
            lifetime = timedelta(hours=self.settings.verify_email_expire_hours)
            request, _ = await issue_token(self.db, account.user_id, Purpose.CHANGE_EMAIL, data.email, lifetime)
            enqueue(self.db, SendChangeEmailMail(user_id=account.user_id, request_id=request, email=data.email))
        enqueue(self.db, SendAccountNotice(email=account.email, notice=AccountNotice.EMAIL_CHANGE_REQUESTED))
        record(SecurityEvent.EMAIL_CHANGE_REQUESTED, user_id=account.user_id)

    async def request_verification(self) -> None:
        """Send another link that verifies the address; do nothing if it is verified."""
        enqueue(
            self.db,
            SendVerifyEmailMail(user_id=self.caller.user_id),
            deduplication_key=f"verify {self.caller.user_id}",
        )


@dataclass(frozen=True, slots=True)
class RecoveryService:
    """Links from mails: request one, or use one. The caller is anonymous."""

    db: Session
    database: Database
    passwords: PasswordHasher
    check: PasswordCheck

    async def verify_email(self, token: str) -> None:
        """Verify an address, or change it to the new one; raise TokenInvalidError."""
        purposes = (Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        async with self.database.read_only() as db:
            found = await find_account(db, token, *purposes)
        user = await self._lock(User.id == found)
        used = await use_token(self.db, token, *purposes)
        if used.purpose is Purpose.VERIFY_EMAIL:
            if used.email != user.email:
                raise _bad_link()
            await self.db.execute(update(User).where(User.id == user.id).values(is_verified=True))
            await void_tokens(self.db, user.id, Purpose.VERIFY_EMAIL)
            self.db.mark_access_changed(user.id)
            record(SecurityEvent.EMAIL_VERIFIED, user_id=user.id)
        else:
            await self._move(user, used.email)

    async def request_reset(self, email: str) -> None:
        """Send a link that resets the password.

        The job looks up the account, so that the response takes the same time for every address. It sends nothing while
        the account has several valid links.
        """
        enqueue(self.db, SendResetPasswordMail(email=email), deduplication_key=f"reset {email}")

    async def reset_password(self, data: PasswordReset) -> None:
        """Set a new password, end all sessions and invalidate all links.

        Raises TokenInvalidError and PasswordTooCommonError.
        """
        token, new_password = data.token.get_secret_value(), data.new_password.get_secret_value()
        # Looked up first, so that only a valid link costs a hash.
        async with self.database.read_only() as db:
            user_id = await find_account(db, token, Purpose.RESET_PASSWORD)
            known = await db.execute(select(User.email, User.full_name).where(User.id == user_id))
            refuse_own_words(new_password, *(known.one_or_none() or ()))
        hashed = await self.passwords.hash(new_password)
        user = await self._lock(User.id == user_id, User.is_active)
        if (await use_token(self.db, token, Purpose.RESET_PASSWORD)).email != user.email:
            raise _bad_link()
        # The link came by mail, so it also proves the address.
        values = {"hashed_password": hashed, "is_verified": True}
        await self.db.execute(update(User).where(User.id == user.id).values(values))
        await void_tokens(self.db, user.id)
        await revoke_sessions(self.db, user.id, by=user.id)
        await self.check.reset_failed_logins(user.email)
        enqueue(self.db, SendAccountNotice(email=user.email, notice=AccountNotice.PASSWORD_RESET))
        record(SecurityEvent.PASSWORD_RESET, user_id=user.id)

    async def _move(self, user: User, email: str) -> None:
        if await self.db.scalar(select(User.id).where(User.email == email)) is not None:
            raise _bad_link()
        former = user.email
        await self.db.execute(update(User).where(User.id == user.id).values(email=email, is_verified=True))
        # Links sent to the previous address, and sessions opened with it, must become invalid.
        await void_tokens(self.db, user.id)
        await revoke_sessions(self.db, user.id, by=user.id)
        enqueue(self.db, SendAccountNotice(email=former, notice=AccountNotice.EMAIL_CHANGED))
        record(SecurityEvent.EMAIL_CHANGED, user_id=user.id)

    async def _lock(self, *conditions: SQLColumnExpression[bool]) -> User:
        """Lock the account before its token is used. All changes of an account take this lock first."""
        user = await self.db.scalar(select(User).where(*conditions).with_for_update(key_share=True))
        if user is None:
            raise _bad_link()
        return user


async def notify_of_existing_account(db: Session, limiter: RateLimiter, email: str) -> None:
    """Notify the owner of a taken address, once a day, that someone tried to use it."""
    try:
        await limiter.hit(EXISTS_NOTICES, account_key(email))
    except TooManyRequestsError:
        return
    enqueue(db, SendAccountNotice(email=email, notice=AccountNotice.ACCOUNT_EXISTS))


def refuse_own_words(password: str, *words: str | None) -> None:
    """Raise PasswordTooCommonError if a password is little more than the address or the name of its account."""
    if contains_own_words(password, *words):
        raise PasswordTooCommonError


def _bad_link() -> TokenInvalidError:
    record(SecurityEvent.LINK_REFUSED)
    return TokenInvalidError()
