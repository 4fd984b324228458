"""Accounts in the shape of version 2."""

from fastapi import APIRouter, Request, Response

from app.api.links import linked
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import Paging, UserId, UserList, UsersRead
from app.models.user import UserRow
from app.schemas.page import Page
from app.schemas.user_v2 import UserReadV2

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserReadV2)
async def read_current_user_v2(users: UsersRead) -> UserRow:
    """Read one's own account."""
    return await users.get_own()


@router.get("/{user_id}", response_model=UserReadV2, responses=problems(NotFoundError))
async def read_user_v2(users: UsersRead, user_id: UserId) -> UserRow:
    """Read an account: one's own, or any for an administrator."""
    return await users.get(user_id)


@router.get("", response_model=Page[UserReadV2])
async def list_users_v2(users: UserList, query: Paging, request: Request, response: Response) -> KeysetPage[UserRow]:
    """List every account, oldest first; for administrators."""
    return linked(request, response, await users.list(query))
