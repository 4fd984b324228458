"""Accounts: registering, reading and changing them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update

from app.core.config import Settings
from app.core.exceptions import NotFoundError, UnauthenticatedError
from app.core.passwords import PasswordHasher
from app.core.refusals import LastAdminError
from app.core.security_log import SecurityEvent, record
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.queue import enqueue
from app.db.reader import Reader
from app.db.session import Database
from app.db.writer import Writer
from app.models.user import USER, USER_COLUMNS, USERS, Role, User, UserRow, lock_active_administrators
from app.schemas.account import AccountDeletion
from app.schemas.mail import SendVerifyEmailMail
from app.schemas.page import PageQuery
from app.schemas.user import UserAdminUpdate, UserCreate, UserUpdate
from app.services.password_check import PasswordCheck
from app.services.principal import Principal
from app.services.session_service import revoke_sessions


@dataclass(frozen=True, slots=True)
class RegistrationService:
    """Makes accounts; nobody is asking yet."""

    session: Writer
    passwords: PasswordHasher

    async def register(self, data: UserCreate, role: Role = Role.USER) -> User:
        """Make an account, or raise EmailTakenError: the database decides, so that races are safe."""
        hashed = await self.passwords.hash(data.password.get_secret_value())
        user = User(email=data.email, hashed_password=hashed, full_name=data.full_name, role=role)
        orm = await self.session.orm()
        orm.add(user)
        await orm.flush()
        enqueue(self.session, SendVerifyEmailMail(user_id=user.id))
        record(SecurityEvent.ACCOUNT_CREATED, user_id=user.id, role=role)
        return user


async def register_administrator(settings: Settings, data: UserCreate) -> None:
    """Register an account with the role of an administrator, as a process of its own."""
    database = Database(settings)
    try:
        with PasswordHasher(settings) as passwords:
            async with database.unit_of_work() as session:
                await RegistrationService(session, passwords).register(data, Role.ADMIN)
    finally:
        await database.dispose()


@contextmanager
def own_account() -> Iterator[None]:
    """Say that a caller whose account was deleted in this moment is nobody, rather than that nothing is there."""
    try:
        yield
    except NotFoundError:
        raise UnauthenticatedError from None


@dataclass(frozen=True, slots=True)
class UserReader:
    """Reads accounts: one's own, or any for an administrator."""

    session: Reader
    viewer: Principal

    async def get(self, user_id: UUID) -> UserRow:
        """Read one account, or raise NotFoundError: a hidden and a missing one look the same."""
        is_visible = self.viewer.is_admin or user_id == self.viewer.user_id
        user = await self.session.fetch_one(USER, {"user_id": user_id}) if is_visible else None
        if user is None:
            raise NotFoundError
        return user

    async def get_own(self) -> UserRow:
        """Read one's own account."""
        with own_account():
            return await self.get(self.viewer.user_id)


@dataclass(frozen=True, slots=True)
class UserService:
    """Changes and deletes one's own account."""

    session: Writer
    viewer: Principal
    check: PasswordCheck

    async def update_own(self, data: UserUpdate) -> UserRow:
        """Change what is given."""
        with own_account():
            return await _change(self.session, self.viewer.user_id, data.model_dump())

    async def delete_own(self, data: AccountDeletion) -> None:
        """Delete the account and all that is its, or raise PasswordIncorrectError or LastAdminError."""
        await self.check.confirm(self.viewer, data.password.get_secret_value())
        with own_account():
            await UserAdminService(self.session).delete(self.viewer.user_id)


@dataclass(frozen=True, slots=True)
class UserAdminReader:
    """Lists every account; for administrators only, which the caller has checked."""

    session: Reader
    cursors: Cursors

    async def list(self, query: PageQuery) -> KeysetPage[UserRow]:
        """Read a page, oldest accounts first."""
        keyset = Keyset(self.cursors, Order(User.created_at, User.id, descending=False), scope="users")
        return await keyset.page(self.session, USERS, UserRow, {}, limit=query.limit, cursor=query.cursor)


@dataclass(frozen=True, slots=True)
class UserAdminService:
    """Changes and deletes accounts; for administrators only, which the caller has checked."""

    session: Writer

    async def update(self, user_id: UUID, data: UserAdminUpdate) -> UserRow:
        """Change what is given, or raise NotFoundError or LastAdminError."""
        administrators = await self._lock_administrators()
        changes = data.model_dump()
        user = await _change(self.session, user_id, changes)
        if administrators == {user_id} and not (user.is_active and user.role == Role.ADMIN):
            raise LastAdminError
        if changes:
            await revoke_sessions(self.session, user_id)
            record(SecurityEvent.ACCOUNT_CHANGED, user_id=user_id, **changes)
        return user

    async def delete(self, user_id: UUID) -> None:
        """Delete an account and all that is its, or raise NotFoundError or LastAdminError."""
        if await self._lock_administrators() == {user_id}:
            raise LastAdminError
        statement = delete(User).where(User.id == user_id).returning(User.id)
        if (await self.session.execute(statement)).one_or_none() is None:
            raise NotFoundError
        record(SecurityEvent.ACCOUNT_DELETED, user_id=user_id)

    async def _lock_administrators(self) -> set[UUID]:
        """Hold them until the end, so that two administrators at once cannot each remove the other."""
        return set(await self.session.scalars(lock_active_administrators()))


async def _change(session: Writer, user_id: UUID, values: dict[str, object]) -> UserRow:
    statement = update(User).where(User.id == user_id).values(values).returning(*USER_COLUMNS)
    user = (await session.execute(statement)).one_or_none()
    if user is None:
        raise NotFoundError
    return UserRow(*user)
