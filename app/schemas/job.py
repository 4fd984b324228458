"""Jobs as administrators see them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.page import PageQuery
from app.schemas.types import OutputModel

JobState = Literal["queued", "running", "failed"]


class JobQuery(PageQuery):
    """Which jobs."""

    state: JobState | None = None
    """Only jobs in this state."""


class JobRead(OutputModel):
    """A job that waits, runs, or has failed for good."""

    id: int = Field(ge=1, le=2**63 - 1)
    kind: str = Field(max_length=100)
    state: JobState
    attempts: int = Field(ge=0, le=2**31 - 1)
    """How often it was tried and failed."""
    created_at: datetime
    run_after: datetime
    """Not before this time."""
    last_error: str | None = Field(max_length=10_000)
    """What the last failed attempt said."""
