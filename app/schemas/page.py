"""A page of a list."""

from typing import Generic, TypeVar

from pydantic import ConfigDict, Field

from app.schemas.types import Cursor, Limit, OutputModel, QueryModel

T = TypeVar("T")


class Page(OutputModel, Generic[T]):
    """Some of a list, and the cursor of what follows."""

    # A parametrised generic does not inherit the docstring.
    model_config = ConfigDict(json_schema_extra={"description": "Some of a list, and the cursor of what follows."})

    items: list[T] = Field(max_length=100)
    next_cursor: str | None = Field(default=None, max_length=2000)
    """Give it as `cursor` to read on; null on the last page."""


class PageQuery(QueryModel):
    """Which page of a list is asked for."""

    limit: Limit = 20
    """How many to read, 1 to 100."""
    cursor: Cursor | None = None
    """The `next_cursor` of the page before."""
