"""Registration of accounts."""

from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert

from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.refusals import EmailTakenError
from app.db.database import Database
from app.db.queue import enqueue
from app.db.session import Session
from app.models.user import Role, User
from app.observability.security_log import SecurityEvent, record
from app.ratelimit.limiter import RateLimiter
from app.schemas.mail import SendVerifyEmailMail
from app.schemas.user import UserCreate
from app.services.account_service import notify_of_existing_account, refuse_own_words
from app.services.security_log_storage import storing_events


@dataclass(frozen=True, slots=True)
class RegistrationService:
    """Creates accounts; the caller is anonymous."""

    db: Session
    passwords: PasswordHasher
    settings: Settings
    limiter: RateLimiter | None = None
    """Limits the mails to owners of taken addresses; only `sign_up` needs it."""

    async def sign_up(self, data: UserCreate) -> User | None:
        """Register an account; raise EmailTakenError or PasswordTooCommonError.

        With REGISTRATION_REVEALS_ACCOUNTS off the result is always None: if the address is taken, its owner gets a mail
        and the caller learns nothing.
        """
        if self.settings.registration_reveals_accounts:
            return await self.register(data)
        if await self._create(data, Role.USER) is None and self.limiter:
            await notify_of_existing_account(self.db, self.limiter, data.email)
        return None

    async def register(self, data: UserCreate, role: Role = Role.USER) -> User:
        """Create an account; raise EmailTakenError or PasswordTooCommonError."""
        user = await self._create(data, role)
        if user is None:
            raise EmailTakenError
        return user

    async def _create(self, data: UserCreate, role: Role) -> User | None:
        password = data.password.get_secret_value()
        refuse_own_words(password, data.email, data.full_name)
        hashed = await self.passwords.hash(password)
        values = {
            "email": data.email,
            "hashed_password": hashed,
            "full_name": data.full_name,
            "role": role,
            "is_verified": role is Role.ADMIN,  # An operator, who knows the address, creates it.
        }
        # The unique constraint decides, so that concurrent registrations are safe.
        statement = insert(User).values(values).on_conflict_do_nothing(index_elements=[User.email]).returning(User)
        user = await self.db.scalar(statement)
        if user is not None:
            enqueue(self.db, SendVerifyEmailMail(user_id=user.id))
            record(SecurityEvent.ACCOUNT_CREATED, user_id=user.id, role=role)
        return user


async def register_administrator(settings: Settings, data: UserCreate) -> None:
    """Register an administrator, on a new database connection."""
    database = Database(settings)
    try:
        with PasswordHasher(settings) as passwords:
            async with storing_events(database, settings.security_log_days), database.unit_of_work() as db:
                await RegistrationService(db, passwords, settings).register(data, Role.ADMIN)
    finally:
        await database.dispose()
