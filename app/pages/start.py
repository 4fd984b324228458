"""The start page of development: what runs, and where."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.core.database_url import describe
from app.dependencies import Public
from app.pages.html import PageRoute, render
from app.state import state_of

router = APIRouter(include_in_schema=False, route_class=PageRoute, dependencies=[Public])


@router.get("/")
async def show_start(request: Request) -> HTMLResponse:
    """Show the addresses, the database and the next commands, and the last hour as charts."""
    state = state_of(request)
    return render(
        request,
        "start.html",
        database=describe(state["settings"].database_url.get_secret_value()),
        version=state["settings"].version,
        charts=state["history"].charts() if state["history"] else [],
    )
