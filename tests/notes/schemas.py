"""Notes as clients write and read them."""

from datetime import datetime
from typing import Literal

from pydantic import MISSING, Field

from app.schemas.page import PageQuery
from app.schemas.types import Description, Id, InputModel, OutputModel, Timestamp, Title


class NoteCreate(InputModel):
    """A new note."""

    title: Title
    description: Description | None = None


class NoteUpdate(InputModel):
    """A change of a note. Fields that are left out stay as they are; null removes the description."""

    title: Title | MISSING = MISSING
    description: Description | MISSING | None = MISSING


class NoteQuery(PageQuery):
    """The filters, the order and the page of a list of notes."""

    sort: Literal["created_at", "-created_at", "title", "-title"] = Field(
        default="-created_at", description="The field to sort by; a minus sorts in descending order."
    )
    title: Title | None = Field(default=None, description="Only notes whose title contains this; case does not matter.")
    created_after: Timestamp | None = Field(default=None, description="Only notes that were made after this time.")
    created_before: Timestamp | None = Field(default=None, description="Only notes that were made before this time.")


class NoteRead(OutputModel):
    """A note."""

    id: Id
    owner_id: Id
    title: str = Field(max_length=200)
    description: str | None = Field(max_length=10_000)
    created_at: datetime
    updated_at: datetime


class PublicNoteRead(OutputModel):
    """The public fields of a note."""

    title: str = Field(max_length=200)
    is_own: bool = Field(description="Whether it is a note of the caller.")
