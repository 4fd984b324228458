"""Sessions as their owners see them."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from app.schemas.types import Id, OutputModel


class SessionRead(OutputModel):
    """A login somewhere."""

    id: Id
    created_at: datetime
    last_used_at: datetime
    """When it was refreshed last."""
    expires_at: datetime
    user_agent: str | None = Field(max_length=400)
    ip_address: str | None = Field(max_length=45)
    is_current: bool
    """Whether it is the session that asks."""


class SessionList(OutputModel):
    """One's live sessions, newest first."""

    items: Sequence[SessionRead] = Field(max_length=100)
