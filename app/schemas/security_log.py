"""Filters of the security log."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.page import PageQuery
from app.schemas.types import NO_NUL


class SecurityLogQuery(PageQuery):
    """The page and the filters of the security log."""

    sort: ClassVar[str] = "-id"
    event: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] | None = Field(
        default=None, description="Only events of this kind."
    )
    account_id: UUID | None = Field(default=None, description="Only events of this account.")
