"""Problem documents (RFC 9457)."""

from typing import Annotated

from pydantic import Field

from app.schemas.types import OutputModel

LocationPart = Annotated[str, Field(max_length=100)] | Annotated[int, Field(ge=0, le=2**31 - 1)]


class FieldError(OutputModel):
    """One invalid part of the input. The submitted value is never repeated."""

    location: list[LocationPart] = Field(max_length=100, examples=[["body", "title"]])
    message: str = Field(max_length=1000, examples=["Field required"])
    code: str = Field(max_length=100, examples=["missing"])


class Problem(OutputModel):
    """A problem document (RFC 9457)."""

    type: str = Field(max_length=200, examples=["about:blank"])
    title: str = Field(max_length=200)
    status: int = Field(ge=400, le=599)
    detail: str = Field(max_length=1000)
    instance: str = Field(max_length=8192, description="The path of the request.")
    code: str = Field(
        max_length=100, examples=["not_found"], description="The stable code of the problem, for programs."
    )
    request_id: str = Field(max_length=128, description="The id of the request; quote it when you ask for help.")
    errors: list[FieldError] | None = Field(
        default=None, max_length=100, description="Only for 422: the invalid parts of the input."
    )
    error: str | None = Field(
        default=None, max_length=100, description="Only for token requests: the error code of RFC 6749."
    )
