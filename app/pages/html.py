"""Render pages from templates, escaped, with a strict content security policy."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from app.core.exceptions import DomainError
from app.state import state_of

if TYPE_CHECKING:
    from jinja2 import Environment

ASSETS_PATH = "/pages/assets"
POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; script-src 'self'; style-src 'self'"
)


@cache
def templates() -> "Environment":
    """Return the templates, loaded at the first page: a process that serves only the API does not need Jinja."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  2 MiB

    return Environment(
        loader=PackageLoader("app.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class PageRoute(APIRoute):
    """A route whose errors are pages, too: `APIRouter(route_class=PageRoute)`.

    A dependency would run too late: the method is checked and the form is parsed before any dependency.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set how errors of this request are rendered."""
        scope["state"].update(render_error=render_error, content_policy=POLICY)
        await super().handle(scope, receive, send)


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page; `values` are the variables of its template."""
    settings = state_of(request)["settings"]
    values = {"project_name": settings.project_name, "assets": ASSETS_PATH, **values}
    return HTMLResponse(templates().get_template(template).render(values), status)


def render_error(scope: Scope, error: DomainError, headers: Mapping[str, str]) -> HTMLResponse:
    """Return the page of an error."""
    page = render(
        Request(scope),
        "error.html",
        status=error.status,
        title=error.title(),
        detail=error.detail,
        request_id=scope["state"].get("request_id", ""),
    )
    page.headers.update(headers)
    return page
