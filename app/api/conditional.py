"""Conditional requests (RFC 9110, section 13): the versions of rows as entity tags."""

from typing import Protocol, TypeVar

from fastapi import Request, Response

from app.core.conditional import check_fresh, entity_tag, versions_to_change
from app.dependencies import state_of


class Versioned(Protocol):
    """A row with a version."""

    @property
    def version(self) -> int:
        """Count the changes of the row."""


V = TypeVar("V", bound=Versioned)


def tagged(response: Response, row: V, *, unless: str | None = None) -> V:
    """Put the version of a row into the ETag header, or raise NotModified where `unless` (If-None-Match) has it."""
    check_fresh(unless, row.version)
    response.headers["ETag"] = entity_tag(row.version)
    return row


def matched(request: Request, if_match: str | None) -> frozenset[int] | None:
    """Give the versions that the request may change, None for whichever there is; see `versions_to_change`."""
    return versions_to_change(if_match, required=state_of(request)["settings"].require_if_match)
