"""Jobs as administrators read them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.page import PageQuery
from app.schemas.types import OutputModel

JobState = Literal["queued", "running", "failed"]


class JobQuery(PageQuery):
    """Filters of the list of jobs."""

    state: JobState | None = Field(default=None, description="Only jobs in this state.")


class JobRead(OutputModel):
    """A job that waits, runs, or has used all its attempts."""

    id: int = Field(ge=1, le=2**63 - 1)
    kind: str = Field(max_length=100)
    state: JobState
    attempts: int = Field(ge=0, le=2**31 - 1, description="The number of failed attempts.")
    created_at: datetime
    run_after: datetime = Field(description="The job does not run before this time.")
    last_error: str | None = Field(max_length=10_000, description="The error of the last failed attempt.")
