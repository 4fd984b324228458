"""Problem documents (RFC 9457)."""

from typing import Annotated

from pydantic import Field

from app.schemas.types import OutputModel

LocationPart = Annotated[str, Field(max_length=100)] | Annotated[int, Field(ge=0, le=2**31 - 1)]


class FieldError(OutputModel):
    """One fault of the input; the submitted value is never repeated."""

    location: list[LocationPart] = Field(max_length=100, examples=[["body", "title"]])
    message: str = Field(max_length=1000, examples=["Field required"])
    code: str = Field(max_length=100, examples=["missing"])


class Problem(OutputModel):
    """Why a request was refused."""

    type: str = Field(max_length=200, examples=["about:blank"])
    title: str = Field(max_length=200)
    status: int = Field(ge=400, le=599)
    detail: str = Field(max_length=1000)
    instance: str = Field(max_length=8192)
    """The path that was asked for."""
    code: str = Field(max_length=100, examples=["not_found"])
    """Stable; this is what a program should look at."""
    request_id: str = Field(max_length=128)
    """Quote it when you ask for help."""
    errors: list[FieldError] | None = Field(default=None, max_length=100)
    """For 422: what is wrong with which part of the input."""
    error: str | None = Field(default=None, max_length=100)
    """For token requests: the error code of RFC 6749."""
