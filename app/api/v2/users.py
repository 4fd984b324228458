"""Accounts in the shape of version 2."""

from fastapi import APIRouter, Request, Response

from app.api.links import linked
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import Paging, UserId, UserList, Users
from app.models.user import User
from app.schemas.page import Page
from app.schemas.user_v2 import UserReadV2

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserReadV2)
async def read_current_user_v2(users: Users) -> User:
    """Read one's own account."""
    return await users.get_own()


@router.get("/{user_id}", response_model=UserReadV2, responses=problems(NotFoundError))
async def read_user_v2(users: Users, user_id: UserId) -> User:
    """Read an account: one's own, or any for an administrator."""
    return await users.get(user_id)


@router.get("", response_model=Page[UserReadV2])
async def list_users_v2(users: UserList, query: Paging, request: Request, response: Response) -> KeysetPage[User]:
    """List every account, oldest first; for administrators."""
    return linked(request, response, await users.list(query))
