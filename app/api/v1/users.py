"""Accounts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.links import add_next_link, created_or_accepted
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.core.refusals import EmailTakenError, LastAdminError, PasswordIncorrectError, PasswordTooCommonError
from app.db.pagination import KeysetPage
from app.dependencies import HOUR, MAILS, Account, Administrator, Db, Public, UserFilter, UserList, Users, limited
from app.models.user import User
from app.schemas.account import AccountDeletion, EmailChange, PasswordChange
from app.schemas.page import Page
from app.schemas.user import UserAdminUpdate, UserCreate, UserRead, UserUpdate
from app.services.registration_service import RegistrationService
from app.services.user_service import UserAdminService
from app.state import state_of


async def get_registration(request: Request, db: Db) -> RegistrationService:
    """Return the service that registers accounts."""
    state = state_of(request)
    return RegistrationService(db, state["passwords"], state["settings"], state["limiter"])


async def get_user_admin(db: Db, user: Administrator) -> UserAdminService:
    """Return the service that changes and deletes accounts for administrators."""
    return UserAdminService(db, user)


Registration = Annotated[RegistrationService, Depends(get_registration)]
UserAdmin = Annotated[UserAdminService, Depends(get_user_admin)]
UserId = Annotated[UUID, Path(description="The id of an account.")]
router = APIRouter(prefix="/users", tags=["users"])
PASSWORD = problems(PasswordIncorrectError)
ADMINISTRATION = problems(NotFoundError, LastAdminError)
REGISTRATIONS = limited("registrations", 20, HOUR, by="address")
PASSWORD_CHANGES = limited("password-changes", 5, HOUR)


@router.post(
    "",
    response_model=UserRead,
    status_code=201,
    responses={
        202: {"description": "Accepted; the response does not reveal whether the address has an account"},
        **problems(EmailTakenError, PasswordTooCommonError),
    },
    dependencies=[Public, REGISTRATIONS],
)
async def create_user(
    registration: Registration, data: UserCreate, request: Request, response: Response
) -> User | Response:
    """Create an account."""
    return created_or_accepted(request, response, await registration.sign_up(data))


@router.get("/me", response_model=UserRead)
async def read_current_user(users: Users) -> User:
    """Read your account."""
    return await users.get_own()


@router.patch("/me", response_model=UserRead)
async def update_current_user(users: Users, data: UserUpdate) -> User:
    """Change your name."""
    return await users.update_own(data)


@router.delete("/me", status_code=204, responses=problems(PasswordIncorrectError, LastAdminError))
async def delete_current_user(users: Users, data: AccountDeletion) -> None:
    """Delete your account and all its data. Its entries in the security log stay until they expire."""
    await users.delete_own(data)


@router.put(
    "/me/password",
    status_code=204,
    responses={**PASSWORD, **problems(PasswordTooCommonError)},
    dependencies=[PASSWORD_CHANGES],
)
async def change_password(account: Account, data: PasswordChange) -> None:
    """Change your password. Your other sessions end."""
    await account.change_password(data)


@router.put(
    "/me/email",
    status_code=202,
    response_class=Response,
    responses={**PASSWORD, **problems(EmailTakenError)},
    dependencies=[MAILS],
)
async def change_email(account: Account, data: EmailChange) -> None:
    """Change your e-mail address. The new address gets a mail to confirm it, and the old one is notified."""
    await account.request_email_change(data)


@router.get("/{user_id}", response_model=UserRead, responses=problems(NotFoundError))
async def read_user(users: Users, user_id: UserId) -> User:
    """Read an account: your own, or any as an administrator."""
    return await users.get(user_id)


@router.get("", response_model=Page[UserRead])
async def list_users(users: UserList, query: UserFilter, request: Request, response: Response) -> KeysetPage[User]:
    """List all accounts, oldest first. For administrators."""
    return add_next_link(request, response, await users.list(query))


@router.patch("/{user_id}", response_model=UserRead, responses=ADMINISTRATION)
async def update_user(users: UserAdmin, user_id: UserId, data: UserAdminUpdate) -> User:
    """Change the role of an account, or disable it. For administrators."""
    return await users.update(user_id, data)


@router.delete("/{user_id}", status_code=204, responses=ADMINISTRATION)
async def delete_user(users: UserAdmin, user_id: UserId) -> None:
    """Delete an account and all its data, except its entries in the security log. For administrators."""
    await users.delete(user_id)
