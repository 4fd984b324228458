"""Accounts as clients write and read them."""

from datetime import datetime
from typing import Literal

from pydantic import MISSING, Field

from app.schemas.types import Email, FullName, Id, InputModel, OutputModel, Password


class UserCreate(InputModel):
    """A registration."""

    email: Email
    password: Password
    full_name: FullName | None = None


class UserUpdate(InputModel):
    """A change of your account. Fields that are left out stay as they are."""

    full_name: FullName | MISSING | None = MISSING


class UserAdminUpdate(InputModel):
    """A change of an account by an administrator. Fields that are left out stay as they are."""

    is_active: bool | MISSING = MISSING
    role: Literal["user", "admin"] | MISSING = MISSING


class UserRead(OutputModel):
    """An account."""

    id: Id
    email: str = Field(max_length=254)
    full_name: str | None = Field(max_length=200)
    role: Literal["user", "admin"]
    is_active: bool
    is_verified: bool
    created_at: datetime
    updated_at: datetime
