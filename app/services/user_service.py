"""Accounts: reading, changing and deleting them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update

from app.core.exceptions import ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.refusals import LastAdminError
from app.core.security_log import SecurityEvent, record
from app.db.pagination import Cursors, Keyset, KeysetPage, Order
from app.db.queue import enqueue
from app.db.reader import Reader
from app.db.writer import Writer
from app.models.user import USER, USER_COLUMNS, USERS, Role, User, UserRow, lock_active_administrators
from app.schemas.account import AccountDeletion
from app.schemas.mail import AccountNotice, SendAccountNotice
from app.schemas.page import PageQuery
from app.schemas.user import UserAdminUpdate, UserUpdate
from app.services.one_time_tokens import void_tokens
from app.services.password_check import PasswordCheck
from app.services.principal import Principal
from app.services.session_service import revoke_sessions


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
        if user_id != self.viewer.user_id:
            record(SecurityEvent.ACCOUNTS_READ, user_id=self.viewer.user_id, read_id=str(user_id))
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
        account = await self.check.confirm(self.viewer, data.password.get_secret_value())
        administrators = await _lock_administrators(self.session)
        await account.lock(self.session)
        with own_account():
            await _delete(self.session, account.user_id, administrators)


@dataclass(frozen=True, slots=True)
class UserAdminReader:
    """Lists every account; for administrators only, which the caller has checked."""

    session: Reader
    cursors: Cursors
    viewer: Principal

    async def list(self, query: PageQuery) -> KeysetPage[UserRow]:
        """Return a page, oldest accounts first."""
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.viewer.user_id)
        keyset = Keyset(self.cursors, Order(User.created_at, User.id, descending=False), scope="users")
        return await keyset.page(self.session, USERS, UserRow, {}, limit=query.limit, cursor=query.cursor)


@dataclass(frozen=True, slots=True)
class UserAdminService:
    """Changes and deletes accounts, for administrators."""

    session: Writer
    viewer: Principal

    async def update(self, user_id: UUID, data: UserAdminUpdate) -> UserRow:
        """Change the given fields; raise ForbiddenError, NotFoundError or LastAdminError.

        A change ends the sessions of the account. Disabling it also voids its links.
        """
        administrators = await self._lock_administrators()
        changes = data.model_dump()
        user = await _change(self.session, user_id, changes)
        if administrators == {user_id} and not (user.is_active and user.role == Role.ADMIN):
            raise LastAdminError
        if changes:
            await revoke_sessions(self.session, user_id)
            record(SecurityEvent.ACCOUNT_CHANGED, user_id=user_id, **changes)
        if not user.is_active:
            await void_tokens(self.session, user_id)
        return user

    async def delete(self, user_id: UUID) -> None:
        """Delete an account and all its data; raise ForbiddenError, NotFoundError or LastAdminError."""
        await _delete(self.session, user_id, await self._lock_administrators())

    async def _lock_administrators(self) -> set[UUID]:
        """Lock all administrators and check again that the caller is one: another may have demoted them meanwhile."""
        administrators = await _lock_administrators(self.session)
        if self.viewer.user_id not in administrators:
            record(SecurityEvent.ACCESS_DENIED, user_id=self.viewer.user_id)
            raise ForbiddenError
        return administrators


async def _lock_administrators(session: Writer) -> set[UUID]:
    """Lock the active administrators, so that two of them cannot remove each other concurrently."""
    return set(await session.scalars(lock_active_administrators()))


async def _delete(session: Writer, user_id: UUID, administrators: set[UUID]) -> None:
    if administrators == {user_id}:
        raise LastAdminError
    email = await session.scalar(delete(User).where(User.id == user_id).returning(User.email))
    if email is None:
        raise NotFoundError
    session.access_changed(user_id)
    enqueue(session, SendAccountNotice(email=email, notice=AccountNotice.ACCOUNT_DELETED))
    record(SecurityEvent.ACCOUNT_DELETED, user_id=user_id)


async def _change(session: Writer, user_id: UUID, values: dict[str, object]) -> UserRow:
    statement = update(User).where(User.id == user_id).values(values).returning(*USER_COLUMNS)
    user = (await session.execute(statement)).one_or_none()
    if user is None:
        raise NotFoundError
    return UserRow(*user)
