"""What people do with their own account besides reading it: password, address, deletion."""

from dataclasses import dataclass

from sqlalchemy import select, update

from app.core.exceptions import TooManyRequestsError
from app.core.hit_counters import Limit
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.refusals import EmailTakenError, TokenInvalidError
from app.core.security_log import SecurityEvent, record
from app.db.queue import enqueue
from app.db.session import Database
from app.db.writer import Writer
from app.models.one_time_token import Purpose
from app.models.user import User
from app.schemas.account import EmailChange, PasswordChange, PasswordReset
from app.schemas.mail import SendChangeEmailMail, SendEmailChangeNotice, SendResetPasswordMail, SendVerifyEmailMail
from app.services.one_time_tokens import is_good, use_token, void_tokens
from app.services.password_check import PasswordCheck, account_key
from app.services.principal import Principal
from app.services.session_service import revoke_sessions

RESET_MAILS = Limit("reset-mails", 5, 3600)


@dataclass(frozen=True, slots=True)
class AccountService:
    """Changes of one's own account that ask for the password."""

    session: Writer
    viewer: Principal
    check: PasswordCheck
    passwords: PasswordHasher

    async def change_password(self, data: PasswordChange) -> None:
        """Set a new password and end every other session, or raise PasswordIncorrectError."""
        await self.check.confirm(self.viewer, data.current_password.get_secret_value())
        hashed = await self.passwords.hash(data.new_password.get_secret_value())
        await self.session.execute(update(User).where(User.id == self.viewer.user_id).values(hashed_password=hashed))
        await void_tokens(self.session, self.viewer.user_id, Purpose.RESET_PASSWORD)
        await revoke_sessions(self.session, self.viewer.user_id, spare=self.viewer.session_id)
        record(SecurityEvent.PASSWORD_CHANGED, user_id=self.viewer.user_id)

    async def request_email_change(self, data: EmailChange) -> None:
        """Mail a link to the new address and a notice to the old one, or raise EmailTakenError.

        The address is the same as before until somebody follows the link.
        """
        await self.check.confirm(self.viewer, data.password.get_secret_value())
        if await self.session.scalar(select(User.id).where(User.email == data.email)):
            raise EmailTakenError
        enqueue(self.session, SendChangeEmailMail(user_id=self.viewer.user_id, email=data.email))
        enqueue(self.session, SendEmailChangeNotice(user_id=self.viewer.user_id))

    async def request_verification(self) -> None:
        """Mail another link to confirm the address; nothing happens when it is confirmed already."""
        enqueue(
            self.session,
            SendVerifyEmailMail(user_id=self.viewer.user_id),
            deduplication_key=f"verify {self.viewer.user_id}",
        )


@dataclass(frozen=True, slots=True)
class RecoveryService:
    """What people do with a link from a mail, or to get one; nobody is logged in."""

    session: Writer
    database: Database
    passwords: PasswordHasher
    limiter: RateLimiter

    async def verify_email(self, token: str) -> None:
        """Confirm an address, or move the account to its new one, or raise TokenInvalidError."""
        user_id, purpose, email = await use_token(self.session, token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        statement = update(User).where(User.id == user_id).values(email=email, is_verified=True)
        if purpose is Purpose.VERIFY_EMAIL:
            statement = statement.where(User.email == email)
        elif await self.session.scalar(select(User.id).where(User.email == email)):
            raise TokenInvalidError
        if await self.session.scalar(statement.returning(User.id)) is None:
            raise TokenInvalidError
        if purpose is Purpose.CHANGE_EMAIL:
            # Whatever was sent to the old address must not open the account any more.
            await void_tokens(self.session, user_id, *Purpose)
            record(SecurityEvent.EMAIL_CHANGED, user_id=user_id)
        else:
            await void_tokens(self.session, user_id, Purpose.VERIFY_EMAIL)
            record(SecurityEvent.EMAIL_VERIFIED, user_id=user_id)

    async def request_reset(self, email: str) -> None:
        """Ask for a link. Whether there is such an account is looked up by the job, so this takes the same time.

        Nobody gets too many such mails, whoever asks for them: further ones are not sent, and nobody is told.
        """
        try:
            await self.limiter.hit(RESET_MAILS, account_key(email))
        except TooManyRequestsError:
            record(SecurityEvent.RESET_LIMITED)
            return
        enqueue(self.session, SendResetPasswordMail(email=email), deduplication_key=f"reset {email}")

    async def reset_password(self, data: PasswordReset) -> None:
        """Set a new password and end every session, or raise TokenInvalidError."""
        token = data.token.get_secret_value()
        # Looked at first, so that nobody has us hash for a token that is no good; used after, so that one of many wins.
        if not await is_good(self.database.reader(), token, Purpose.RESET_PASSWORD):
            raise TokenInvalidError
        hashed = await self.passwords.hash(data.new_password.get_secret_value())
        user_id, _, email = await use_token(self.session, token, Purpose.RESET_PASSWORD)
        statement = update(User).where(User.id == user_id, User.email == email).values(hashed_password=hashed)
        if await self.session.scalar(statement.returning(User.id)) is None:
            raise TokenInvalidError
        await void_tokens(self.session, user_id, Purpose.RESET_PASSWORD)
        await revoke_sessions(self.session, user_id)
        record(SecurityEvent.PASSWORD_RESET, user_id=user_id)
