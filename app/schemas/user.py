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
    """What people change of their own account."""

    full_name: FullName | MISSING | None = MISSING


class UserAdminUpdate(InputModel):
    """What an administrator changes of an account; what is left out stays."""

    is_active: bool | MISSING = MISSING
    role: Literal["user", "admin"] | MISSING = MISSING


class UserRead(OutputModel):
    """An account as version 1 shows it."""

    id: Id
    email: str = Field(max_length=254)
    full_name: str | None = Field(max_length=200)
    role: Literal["user", "admin"]
    is_active: bool
    is_verified: bool
    created_at: datetime
    updated_at: datetime
