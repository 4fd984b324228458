"""The service with notes: what tests, drills and benchmarks run."""

import sys

from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_application
from tests.notes.router import router

SERVE = [sys.executable, "-m", "gunicorn", "--config=gunicorn.conf.py", "tests.notes.asgi:app"]
"""The command of `python -m app serve`, for this application; to be run in the folder of the project."""


def create_notes_application(settings: Settings | None = None) -> FastAPI:
    """Build the service and include notes in version 1, before all other routers."""
    app = create_application(settings)
    app.include_router(router, prefix="/api/v1")
    app.router.routes.insert(0, app.router.routes.pop())
    return app
