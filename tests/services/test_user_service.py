"""Accounts, without HTTP."""

import pytest
from sqlalchemy import select

from app.core.exceptions import ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.refusals import LastAdminError, PasswordIncorrectError
from app.db.session import Session
from app.models.user import Role, User
from app.schemas.account import AccountDeletion
from app.schemas.user import UserAdminUpdate, UserQuery, UserUpdate
from app.services.password_check import PasswordCheck
from app.services.user_service import UserAdminService, UserService
from tests.factories import PASSWORD
from tests.services.conftest import Users, principal


async def test_an_account_is_visible_to_its_owner_and_to_administrators(
    db: Session, users: Users, check: PasswordCheck
) -> None:
    """For other users NotFoundError is raised."""
    ada, bob = await users.create(), await users.create("bob@example.com")
    root = await users.create("root@example.com", role=Role.ADMIN)
    assert (await UserService(db, principal(ada), check).get_own()).id == ada.id
    assert (await UserService(db, principal(root), check).get(ada.id)).email == ada.email
    with pytest.raises(NotFoundError):
        await UserService(db, principal(bob), check).get(ada.id)


async def test_an_owner_changes_the_name(db: Session, users: Users, check: PasswordCheck) -> None:
    """A caller whose account was deleted is not authenticated."""
    ada = await users.create()
    service = UserService(db, principal(ada), check)
    assert (await service.update_own(UserUpdate(full_name="Ada"))).full_name == "Ada"
    await db.delete(ada)
    with pytest.raises(UnauthenticatedError):
        await service.update_own(UserUpdate(full_name="x"))


async def test_an_account_is_deleted_with_its_password(db: Session, users: Users, check: PasswordCheck) -> None:
    """With a wrong one nothing is deleted."""
    ada = await users.create(commit=True)
    service = UserService(db, principal(ada), check)
    with pytest.raises(PasswordIncorrectError):
        await service.delete_own(AccountDeletion(password="wrong"))  # type: ignore[arg-type]
    await service.delete_own(AccountDeletion(password=PASSWORD))  # type: ignore[arg-type]  # pydantic wraps it
    assert await db.scalar(select(User.id)) is None


async def test_the_last_administrator_stays(db: Session, users: Users) -> None:
    """Demoting, disabling and deleting the last one are refused."""
    root = await users.create(role=Role.ADMIN)
    root_id, service = root.id, UserAdminService(db, principal(root))
    for change in (UserAdminUpdate(role="user"), UserAdminUpdate(is_active=False)):
        with pytest.raises(LastAdminError):
            async with db.begin_nested():
                await service.update(root_id, change)
    with pytest.raises(LastAdminError):
        await service.delete(root_id)


async def test_the_caller_must_still_be_an_administrator(db: Session, users: Users) -> None:
    """The role is checked again under the lock."""
    root, other = await users.create(role=Role.ADMIN), await users.create("b@example.com", role=Role.ADMIN)
    caller = principal(root)
    root.role = Role.USER
    with pytest.raises(ForbiddenError):
        await UserAdminService(db, caller).delete(other.id)


async def test_accounts_are_listed_oldest_first(db: Session, users: Users) -> None:
    """Page by page."""
    created = [await users.create(f"{number}@example.com", commit=True) for number in range(3)]
    service = UserAdminService(db, principal(created[0]))
    first = await service.list(UserQuery(limit=2))
    second = await service.list(UserQuery(limit=2, cursor=first.next_cursor))
    assert [user.email for user in (*first.items, *second.items)] == [user.email for user in created]
    assert second.next_cursor is None
