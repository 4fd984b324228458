"""Read, change and delete accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, select, update

from app.core.exceptions import ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.refusals import LastAdminError
from app.db.base import LIKE_ESCAPE, escape_like
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.queue import enqueue
from app.db.session import Session
from app.db.statements import statement
from app.models.user import Role, User
from app.observability.security_log import SecurityEvent, record
from app.schemas.account import AccountDeletion
from app.schemas.mail import AccountNotice, SendAccountNotice, SendResetPasswordMail
from app.schemas.user import UserAdminUpdate, UserQuery, UserUpdate
from app.services.one_time_tokens import void_tokens
from app.services.password_check import PasswordCheck
from app.services.principal import Principal
from app.services.session_service import revoke_sessions

ORDER = SortOrder(User.created_at, key=User.id)


@contextmanager
def own_account() -> Iterator[None]:
    """Raise UnauthenticatedError instead of NotFoundError: the account of the caller has just been deleted."""
    try:
        yield
    except NotFoundError:
        raise UnauthenticatedError from None


@statement
def select_user(user_id: UUID) -> Select[User]:
    """Select one account."""
    return select(User).where(User.id == user_id)


@dataclass(frozen=True, slots=True)
class UserService:
    """Reads, changes and deletes the account of the caller. An administrator may read every account."""

    db: Session
    caller: Principal
    check: PasswordCheck

    async def get(self, user_id: UUID) -> User:
        """Return one account; raise NotFoundError for a missing one and for one that the caller may not read."""
        is_visible = self.caller.is_admin or user_id == self.caller.user_id
        if not is_visible:
            raise NotFoundError
        user = await self.db.fetch_one(select_user(user_id))
        if user is None:
            raise NotFoundError
        if user_id != self.caller.user_id:
            record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id, read_id=str(user_id))
        return user

    async def get_own(self) -> User:
        """Return the account of the caller."""
        with own_account():
            return await self.get(self.caller.user_id)

    async def update_own(self, data: UserUpdate) -> User:
        """Change the given fields."""
        with own_account():
            return await _change(self.db, self.caller.user_id, data.model_dump())

    async def delete_own(self, data: AccountDeletion) -> None:
        """Delete the account and all its data; raise PasswordIncorrectError or LastAdminError."""
        account = await self.check.confirm(self.caller, data.password.get_secret_value())
        administrators = await _lock_administrators(self.db)
        await account.lock(self.db)
        with own_account():
            await _delete(self.db, account.user_id, administrators, by=account.user_id)


@dataclass(frozen=True, slots=True)
class UserAdminService:
    """Lists, changes and deletes accounts, for administrators."""

    db: Session
    caller: Principal

    async def list(self, query: UserQuery) -> KeysetPage[User]:
        """Return one page of the accounts that match, oldest first."""
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id)
        users = select(User)
        if query.email is not None:
            users = users.where(User.email.icontains(escape_like(query.email), escape=LIKE_ESCAPE))
        if query.role is not None:
            users = users.where(User.role == query.role)
        if query.is_active is not None:
            users = users.where(User.is_active.is_(query.is_active))
        return await paginate(self.db, users, ORDER, query)

    async def get(self, user_id: UUID) -> User:
        """Return one account; raise NotFoundError."""
        user = await self.db.fetch_one(select_user(user_id))
        if user is None:
            raise NotFoundError
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id, read_id=str(user_id))
        return user

    async def send_reset(self, user_id: UUID) -> None:
        """Send a link that resets the password of an account; raise NotFoundError."""
        email = (await self.get(user_id)).email
        enqueue(self.db, SendResetPasswordMail(email=email), deduplication_key=f"reset {email}")
        record(SecurityEvent.RESET_REQUESTED, user_id=user_id, by=str(self.caller.user_id))

    async def update(self, user_id: UUID, data: UserAdminUpdate) -> User:
        """Change the given fields; raise ForbiddenError, NotFoundError or LastAdminError.

        A change ends the sessions of the account. Disabling it also invalidates its links.
        """
        administrators = await self._lock_administrators()
        changes = data.model_dump()
        user = await _change(self.db, user_id, changes)
        if administrators == {user_id} and not (user.is_active and user.role == Role.ADMIN):
            raise LastAdminError
        if changes:
            await revoke_sessions(self.db, user_id, by=self.caller.user_id)
            record(SecurityEvent.ACCOUNT_CHANGED, user_id=user_id, by=str(self.caller.user_id), **changes)
        if not user.is_active:
            await void_tokens(self.db, user_id)
        return user

    async def delete(self, user_id: UUID) -> None:
        """Delete an account and all its data; raise ForbiddenError, NotFoundError or LastAdminError."""
        await _delete(self.db, user_id, await self._lock_administrators(), by=self.caller.user_id)

    async def _lock_administrators(self) -> set[UUID]:
        """Lock all administrators and check again that the caller is one: they may have been demoted."""
        administrators = await _lock_administrators(self.db)
        if self.caller.user_id not in administrators:
            record(SecurityEvent.ACCESS_DENIED, user_id=self.caller.user_id)
            raise ForbiddenError
        return administrators


async def _lock_administrators(db: Session) -> set[UUID]:
    """Lock the active administrators, always in the same order, so that two of them cannot remove each other."""
    administrators = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id)
    return set(await db.scalars(administrators.with_for_update()))


async def _delete(db: Session, user_id: UUID, administrators: set[UUID], *, by: UUID) -> None:
    if administrators == {user_id}:
        raise LastAdminError
    email = await db.scalar(delete(User).where(User.id == user_id).returning(User.email))
    if email is None:
        raise NotFoundError
    db.mark_access_changed(user_id)
    enqueue(db, SendAccountNotice(email=email, notice=AccountNotice.ACCOUNT_DELETED))
    record(SecurityEvent.ACCOUNT_DELETED, user_id=user_id, by=str(by))


async def _change(db: Session, user_id: UUID, values: dict[str, object]) -> User:
    user: User | None = await db.scalar(update(User).where(User.id == user_id).values(values).returning(User))
    if user is None:
        raise NotFoundError
    return user
