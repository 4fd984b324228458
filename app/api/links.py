"""Links to what is elsewhere: something new, or the next page."""

from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from fastapi import Request, Response

from app.db.pagination import KeysetPage

QUERY_CHARACTERS = "/?&=+%:@!$'()*,;"
"""What a query is written with (RFC 3986, section 3.4), and what is quoted already."""
T = TypeVar("T")


def locate(request: Request, response: Response, key: UUID) -> None:
    """Say where something new in a collection can be read (RFC 9110, section 10.2.2)."""
    response.headers["Location"] = f"{request.scope['path']}/{key}"


def linked(request: Request, response: Response, page: KeysetPage[T]) -> KeysetPage[T]:
    """Link a page to the next one (RFC 8288), where there is one."""
    if page.next_cursor is not None:
        parts = request.scope["query_string"].decode("latin-1").split("&")
        given = [part for part in parts if part and not part.startswith("cursor=")]
        query = quote("&".join([*given, f"cursor={page.next_cursor}"]), safe=QUERY_CHARACTERS)
        response.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    return page
