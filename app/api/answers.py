"""What answers carry beside their bodies: entity tags, and links to further pages."""

from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Request, Response

from app.core.conditional import check_fresh, entity_tag
from app.db.pagination import KeysetPage


class Versioned(Protocol):
    """A row with a version."""

    @property
    def version(self) -> int:
        """Count the changes of the row."""


V = TypeVar("V", bound=Versioned)
T = TypeVar("T")


def locate(request: Request, response: Response, key: UUID) -> None:
    """Say where something new in a collection can be read (RFC 9110, section 10.2.2)."""
    response.headers["Location"] = f"{request.scope['path']}/{key}"


def tagged(response: Response, row: V, *, unless: str | None = None) -> V:
    """Put the version of a row into the ETag header, or raise NotModified where `unless` (If-None-Match) has it."""
    check_fresh(unless, row.version)
    response.headers["ETag"] = entity_tag(row.version)
    return row


def linked(request: Request, response: Response, page: KeysetPage[T]) -> KeysetPage[T]:
    """Link a page to the next one (RFC 8288), where there is one."""
    if page.next_cursor is not None:
        query = urlencode({**request.query_params, "cursor": page.next_cursor})
        response.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    return page
