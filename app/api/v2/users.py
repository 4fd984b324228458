"""Accounts in the shape of version 2."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from app.api.links import add_next_link
from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import UserFilter, UserList, Users
from app.models.user import User
from app.schemas.page import Page
from app.schemas.user_v2 import UserReadV2

UserId = Annotated[UUID, Path(description="The id of an account.")]
router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserReadV2)
async def read_current_user_v2(users: Users) -> User:
    """Read your account."""
    return await users.get_own()


@router.get("/{user_id}", response_model=UserReadV2, responses=problems(NotFoundError))
async def read_user_v2(users: Users, user_id: UserId) -> User:
    """Read an account: your own, or any as an administrator."""
    return await users.get(user_id)


@router.get("", response_model=Page[UserReadV2])
async def list_users_v2(users: UserList, query: UserFilter, request: Request, response: Response) -> KeysetPage[User]:
    """List all accounts, oldest first. For administrators."""
    return add_next_link(request, response, await users.list(query))
