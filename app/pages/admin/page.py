"""What the pages of the administration have in common."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, model_validator
from starlette.responses import RedirectResponse

from app.browser.session import cookies_of
from app.pages.admin.listings import listings, title_of
from app.pages.html import render
from app.pages.sessions import PageAdministrator

SECTIONS = {
    "accounts": "Accounts",
    "sessions": "Sessions",
    "jobs": "Jobs",
    "security-log": "Security log",
    "settings": "Settings",
}


class SearchForm(BaseModel):
    """Base class of search forms: browsers send unused fields as empty text."""

    @model_validator(mode="before")
    @classmethod
    def drop_empty(cls, values: dict[str, str]) -> dict[str, str]:
        """Drop empty fields."""
        return {name: value for name, value in values.items() if value != ""}


class AdminPage:
    """Renders a page for the administrator who has asked for it."""

    def __init__(self, request: Request, user: PageAdministrator) -> None:
        """Note the request and the caller."""
        self.request, self.user = request, user

    def render(self, template: str, section: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401  of a template
        """Return a page, with the navigation and the token of forms."""
        return render(
            self.request,
            template,
            status=status,
            section=section,
            sections={**SECTIONS, **{name: title_of(name) for name in listings()}},
            csrf_token=cookies_of(self.request).csrf_token(self.user.session_id),
            next_url=self._next_url(values.get("page")),
            **values,
        )

    def redirect(self, path: str) -> RedirectResponse:
        """Lead to a page after a change."""
        return RedirectResponse(path, 303)

    def _next_url(self, page: Any) -> str | None:  # noqa: ANN401  a page of anything
        cursor = getattr(page, "next_cursor", None)
        return (
            str(self.request.url.include_query_params(cursor=cursor).replace(scheme="", netloc="")) if cursor else None
        )


Admin = Annotated[AdminPage, Depends()]
