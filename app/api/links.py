"""Location and Link headers."""

from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import Request, Response

from app.db.pagination import KeysetPage

QUERY_CHARACTERS = "/?&=+%:@!$'()*,;"
"""Characters that a query may contain unquoted (RFC 3986, section 3.4), and the percent sign of quoted ones."""
T = TypeVar("T")


class Located(Protocol):
    """An object with an id."""

    id: Any


L = TypeVar("L", bound=Located)


def set_location(request: Request, response: Response, key: UUID) -> None:
    """Set the Location header to the path of a new member of the collection (RFC 9110, section 10.2.2)."""
    response.headers["Location"] = f"{quote(request.scope['path'])}/{key}"


def created_or_accepted(request: Request, response: Response, created: L | None) -> L | Response:
    """Set the Location of the created object and return it, or return 202 without a body if there is none."""
    if created is None:
        return Response(status_code=202)
    set_location(request, response, created.id)
    return created


def add_next_link(request: Request, response: Response, page: KeysetPage[T]) -> KeysetPage[T]:
    """Add a Link header to the next page (RFC 8288), if there is one, and return the page."""
    if page.next_cursor is not None:
        parts = request.scope["query_string"].decode("latin-1").split("&")
        given = [part for part in parts if part and unquote(part.partition("=")[0]) != "cursor"]
        query = quote("&".join([*given, f"cursor={page.next_cursor}"]), safe=QUERY_CHARACTERS)
        response.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    return page
