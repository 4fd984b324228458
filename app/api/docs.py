"""Swagger UI and ReDoc, with their scripts and styles served from here: the pages work without a network."""

import secrets
from asyncio import to_thread
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from app.api.access import PublicMount
from app.dependencies import Public
from app.state import state_of

OPENAPI_PATH = "/api/openapi.json"
DOCS_PATH, REDOC_PATH, REDIRECT_PATH = "/api/docs", "/api/redoc", "/api/docs/oauth2-redirect"
ASSETS_PATH = "/api/docs/assets"
REDOC_SCRIPT = f"{ASSETS_PATH}/redoc.standalone.js"
REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
# Both pages make elements with styles, which have no nonce.
POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self' data:; script-src 'self' 'nonce-{nonce}'; "
    "style-src 'self' 'unsafe-inline'; worker-src blob:"
)
router = APIRouter(include_in_schema=False, dependencies=[Public])


def with_nonce(request: Request, page: HTMLResponse) -> HTMLResponse:
    """Let the inline scripts of a page run, and no others."""
    nonce = secrets.token_urlsafe(16)
    request.scope["state"]["content_policy"] = POLICY.format(nonce=nonce)
    return HTMLResponse(bytes(page.body).replace(b"<script>", f'<script nonce="{nonce}">'.encode()))


def assets() -> Path:
    """Return the folder of Swagger UI and ReDoc files in the package fastapi-offline, without importing it."""
    package = find_spec("fastapi_offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fastapi-offline is not installed: see requirements/base.in")
    return Path(package.origin).parent / "static"


@router.get(OPENAPI_PATH)
async def read_openapi(request: Request) -> dict[str, Any]:
    """Return the OpenAPI document of all versions."""
    document: dict[str, Any] = request.app.openapi()
    return document


@router.get(DOCS_PATH)
async def read_docs(request: Request) -> HTMLResponse:
    """Return Swagger UI."""
    page = get_swagger_ui_html(
        openapi_url=OPENAPI_PATH,
        title=state_of(request)["settings"].project_name,
        oauth2_redirect_url=REDIRECT_PATH,
        swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_PATH}/favicon.png",
    )
    return with_nonce(request, page)


@router.get(REDIRECT_PATH)
async def read_oauth2_redirect(request: Request) -> HTMLResponse:
    """Return the page that Swagger UI opens for logins by redirect."""
    return with_nonce(request, get_swagger_ui_oauth2_redirect_html())


@router.get(REDOC_PATH)
async def read_redoc(request: Request) -> HTMLResponse:
    """Return ReDoc."""
    page = get_redoc_html(
        openapi_url=OPENAPI_PATH,
        title=state_of(request)["settings"].project_name,
        redoc_js_url=REDOC_SCRIPT,
        redoc_favicon_url=f"{ASSETS_PATH}/favicon.png",
        with_google_fonts=False,
    )
    return with_nonce(request, page)


@router.get(REDOC_SCRIPT)
async def read_redoc_script() -> Response:
    """Return the script of ReDoc without the address of a logo on another host."""
    script = await to_thread((assets() / "redoc.standalone.js").read_bytes)
    return Response(script.replace(REDOC_LOGO, b"data:,"), media_type="text/javascript")


router.routes.append(PublicMount(ASSETS_PATH, StaticFiles(directory=assets()), name="docs-assets"))
