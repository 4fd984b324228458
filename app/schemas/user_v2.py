"""Accounts in version 2: another shape of the same data."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from app.schemas.types import Id, OutputModel
from app.schemas.user import UserRead


def name_state(is_active: object) -> object:
    """Return `active` or `disabled`."""
    return "active" if is_active else "disabled"


class ProfileRead(OutputModel):
    """The profile of an account."""

    email: str = Field(max_length=254)
    name: str | None = Field(max_length=200, validation_alias="full_name")


class UserReadV2(OutputModel):
    """An account in version 2."""

    id: Id
    profile: ProfileRead
    state: Annotated[Literal["active", "disabled"], BeforeValidator(name_state)] = Field(validation_alias="is_active")
    is_verified: bool
    role: Literal["user", "admin"]
    joined_at: datetime = Field(validation_alias="created_at")

    @model_validator(mode="before")
    @classmethod
    def _nest_profile(cls, account: object) -> object:
        return {**UserRead.model_validate(account).model_dump(), "profile": account}
