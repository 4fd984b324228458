"""The start page of development: what runs, and where."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from app.core.database_url import describe
from app.dependencies import Public
from app.pages.html import as_page, render
from app.state import state_of

router = APIRouter(include_in_schema=False, dependencies=[Depends(as_page), Public])


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
