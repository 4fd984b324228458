"""The pages of the administration."""

from fastapi import FastAPI

from app.core.config import Settings
from app.pages.admin import accounts, login, operations
from app.pages.sessions import LoginRequired, redirect_to_login


def include_administration(application: FastAPI, settings: Settings) -> None:
    """Include the administration, unless ADMIN_PAGES is off."""
    if settings.admin_pages == "off":
        return
    application.add_exception_handler(LoginRequired, redirect_to_login)
    for part in (login, accounts, operations):
        application.include_router(part.router)
