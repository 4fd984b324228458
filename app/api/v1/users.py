"""Accounts."""

from fastapi import APIRouter, Request, Response

from app.api.openapi import problems
from app.core.exceptions import EmailTakenError, ForbiddenError, LastAdminError, NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import Paging, Registration, UserAdmin, UserId, UserList, Users, UsersRead
from app.models.user import User, UserRow
from app.schemas.page import Page
from app.schemas.user import UserAdminUpdate, UserCreate, UserRead, UserUpdate

router = APIRouter(prefix="/users", tags=["users"])
ADMINISTRATION = problems(ForbiddenError, NotFoundError, LastAdminError)


@router.post("", response_model=UserRead, status_code=201, responses=problems(EmailTakenError))
async def create_user(registration: Registration, data: UserCreate, request: Request, response: Response) -> User:
    """Register an account."""
    user = await registration.register(data)
    response.headers["Location"] = request.app.url_path_for("read_user", user_id=user.id)
    return user


@router.get("/me", response_model=UserRead)
async def read_current_user(users: UsersRead) -> UserRow:
    """Read one's own account."""
    return await users.get_own()


@router.patch("/me", response_model=UserRead)
async def update_current_user(users: Users, data: UserUpdate) -> UserRow:
    """Change one's own account."""
    return await users.update_own(data)


@router.get("/{user_id}", response_model=UserRead, responses=problems(NotFoundError))
async def read_user(users: UsersRead, user_id: UserId) -> UserRow:
    """Read an account: one's own, or any for an administrator."""
    return await users.get(user_id)


@router.get("", response_model=Page[UserRead], responses=problems(ForbiddenError))
async def list_users(users: UserList, query: Paging) -> KeysetPage[UserRow]:
    """List every account, oldest first; for administrators."""
    return await users.list(query)


@router.patch("/{user_id}", response_model=UserRead, responses=ADMINISTRATION)
async def update_user(users: UserAdmin, user_id: UserId, data: UserAdminUpdate) -> UserRow:
    """Change the role of an account, or disable it; for administrators."""
    return await users.update(user_id, data)


@router.delete("/{user_id}", status_code=204, responses=ADMINISTRATION)
async def delete_user(users: UserAdmin, user_id: UserId) -> None:
    """Delete an account and all that is its; for administrators."""
    await users.delete(user_id)
