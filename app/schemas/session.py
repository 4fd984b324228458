"""Sessions as their owners read them."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from app.schemas.types import Id, OutputModel


class SessionRead(OutputModel):
    """A session."""

    id: Id
    created_at: datetime
    last_used_at: datetime = Field(description="When it was last refreshed.")
    expires_at: datetime
    user_agent: str | None = Field(max_length=400)
    ip_address: str | None = Field(max_length=45)
    is_current: bool = Field(description="Whether it is the session of this request.")


class SessionList(OutputModel):
    """Your live sessions, newest first."""

    items: Sequence[SessionRead] = Field(max_length=100)
