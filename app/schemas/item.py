"""Items as clients write and read them."""

from datetime import datetime
from typing import Literal

from pydantic import MISSING, Field

from app.schemas.page import PageQuery
from app.schemas.types import Description, Id, InputModel, OutputModel, Timestamp, Title


class ItemCreate(InputModel):
    """A new item."""

    title: Title
    description: Description | None = None


class ItemUpdate(InputModel):
    """A change of an item. Fields that are left out stay as they are; null removes an optional value."""

    title: Title | MISSING = MISSING
    description: Description | MISSING | None = MISSING


class ItemQuery(PageQuery):
    """Filters and order of a list of items."""

    sort: Literal["created_at", "-created_at", "title", "-title"] = Field(
        default="-created_at", description="The field to sort by; a minus sorts in descending order."
    )
    title: Title | None = Field(
        default=None, description="Only items whose title contains this, in upper or lower case."
    )
    created_after: Timestamp | None = Field(default=None, description="Only items that were created after this time.")
    created_before: Timestamp | None = Field(default=None, description="Only items that were created before this time.")


class ItemRead(OutputModel):
    """An item."""

    id: Id
    owner_id: Id
    title: str = Field(max_length=200)
    description: str | None = Field(max_length=10_000)
    created_at: datetime
    updated_at: datetime
