"""Conditional requests (RFC 9110, section 13): entity tags are the versions of rows."""

import re
from typing import Annotated, Protocol, TypeVar

from fastapi import Header, Request, Response

from app.core.exceptions import PreconditionRequiredError
from app.state import state_of

IfMatch = Annotated[str | None, Header(max_length=1000)]
"""The versions that the request may change."""
IfNoneMatch = Annotated[str | None, Header(max_length=1000)]
"""The versions that the client has."""
STRONG_TAG = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')
"""As `set_etag` writes it: `"01"` is another tag than `"1"`."""
ANY_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class NotModified(Exception):  # noqa: N818  no error: the client has what it asks for
    """The client's copy is the current one."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class Versioned(Protocol):
    """A row with a version."""

    @property
    def version(self) -> int:
        """Count the changes of the row."""


V = TypeVar("V", bound=Versioned)


def set_etag(response: Response, row: V, *, if_none_match: str | None = None) -> V:
    """Set the ETag header to the version of a row and return the row.

    Raises NotModified where `if_none_match` (compared weakly) has that version.
    """
    tag = f'"{row.version}"'
    if if_none_match is not None:
        is_known = if_none_match.strip() == "*" or str(row.version) in ANY_TAG.findall(if_none_match)
        if is_known:
            raise NotModified(tag)
    response.headers["ETag"] = tag
    return row


def versions_to_change(request: Request, if_match: str | None) -> frozenset[int] | None:
    """Return the versions that the request may change (`If-Match`, compared strongly), or None for any.

    Raises PreconditionRequiredError where REQUIRE_IF_MATCH is on and the header is missing.
    """
    if if_match is None:
        if state_of(request)["settings"].require_if_match:
            raise PreconditionRequiredError
        return None
    if if_match.strip() == "*":
        return None
    return frozenset(map(int, STRONG_TAG.findall(if_match)))
