"""Accounts as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, Field, StringConstraints

from app.schemas.page import PageQuery
from app.schemas.types import NO_NUL, Email, FullName, Id, InputModel, OutputModel, Password


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


class UserQuery(PageQuery):
    """Filters of a list of accounts."""

    email: Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=NO_NUL)] | None = Field(
        default=None, description="Only accounts whose e-mail address contains this."
    )
    role: Literal["user", "admin"] | None = Field(default=None, description="Only accounts with this role.")
    is_active: bool | None = Field(default=None, description="Only active accounts, or only disabled ones.")


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
