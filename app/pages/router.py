"""All pages but the administration, and which of them a process serves."""

from fastapi import APIRouter, FastAPI

from app.api.docs import router as docs
from app.core.config import Settings
from app.pages.account import router as account
from app.pages.mails import router as mails
from app.pages.start import router as start


def include_pages(application: FastAPI, settings: Settings) -> None:
    """Include the pages that the settings allow."""
    pages: tuple[tuple[APIRouter, bool], ...] = (
        (docs, settings.has_docs),
        (account, settings.frontend_url is None),
        (start, settings.is_development),
        (mails, settings.is_development),
    )
    for router, is_served in pages:
        if is_served:
            application.include_router(router)
