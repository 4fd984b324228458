"""A page of a list."""

from typing import Generic, TypeVar

from pydantic import ConfigDict, Field

from app.schemas.types import Cursor, Limit, OutputModel, QueryModel

T = TypeVar("T")


class Page(OutputModel, Generic[T]):
    """One page of a list, and the cursor of the next page."""

    # A parametrised generic does not inherit the docstring.
    model_config = ConfigDict(json_schema_extra={"description": "One page of a list, and the cursor of the next page."})

    items: list[T] = Field(max_length=100)
    next_cursor: str | None = Field(
        default=None, max_length=2000, description="Send it as `cursor` to read the next page; null on the last page."
    )


class PageQuery(QueryModel):
    """The page of a list."""

    limit: Limit = Field(default=20, description="The number of entries, 1 to 100.")
    cursor: Cursor | None = Field(default=None, description="The `next_cursor` of the previous page.")
