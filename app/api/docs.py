"""Swagger UI and ReDoc, with their scripts and styles served from here: the pages work without a network."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

PATHS = DOCS_PATH, REDOC_PATH, REDIRECT_PATH = "/api/docs", "/api/redoc", "/api/docs/oauth2-redirect"
ASSETS_PATH = "/api/docs/assets"


def assets() -> Path:
    """Return the folder of Swagger UI and ReDoc files in the package fastapi-offline, without importing it."""
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fastapi-offline is not installed: see requirements/base.in")
    return Path(package.origin).parent / "static"


def install(app: FastAPI, openapi_url: str) -> None:
    """Add the pages to an application; they are not part of the OpenAPI document."""
    app.mount(ASSETS_PATH, StaticFiles(directory=assets()), name="docs-assets")

    @app.get(DOCS_PATH, include_in_schema=False)
    async def read_docs() -> HTMLResponse:
        """Return Swagger UI."""
        return get_swagger_ui_html(
            openapi_url=openapi_url,
            title=app.title,
            oauth2_redirect_url=REDIRECT_PATH,
            swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS_PATH}/favicon.png",
        )

    @app.get(REDIRECT_PATH, include_in_schema=False)
    async def read_oauth2_redirect() -> HTMLResponse:
        """Return the page that Swagger UI opens for logins by redirect."""
        return get_swagger_ui_oauth2_redirect_html()

    @app.get(REDOC_PATH, include_in_schema=False)
    async def read_redoc() -> HTMLResponse:
        """Return ReDoc."""
        return get_redoc_html(
            openapi_url=openapi_url,
            title=app.title,
            redoc_js_url=f"{ASSETS_PATH}/redoc.standalone.js",
            redoc_favicon_url=f"{ASSETS_PATH}/favicon.png",
            with_google_fonts=False,
        )
