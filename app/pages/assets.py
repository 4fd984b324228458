"""The style sheet and the scripts of the pages."""

from pathlib import Path

from fastapi import APIRouter
from starlette.staticfiles import StaticFiles

from app.api.access import PublicMount
from app.pages.html import ASSETS_PATH

router = APIRouter(include_in_schema=False)
router.routes.append(PublicMount(ASSETS_PATH, StaticFiles(directory=Path(__file__).with_name("assets")), name="assets"))
