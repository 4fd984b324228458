"""A real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.browser.site import Site, running_site
from tests.databases import DatabaseMaker

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

# Playwright is not among what `make test` installs.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]
CHROMIUM = shutil.which("chromium")
FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
async def site(new_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The service, with an administrator: root@example.com."""
    with running_site(await new_database.make(), tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator["Browser"]:
    """The browser; its tabs are separate in each test."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: chromium)")
    from playwright.async_api import async_playwright  # noqa: PLC0415  it may not be installed

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
def expected_errors() -> list[str]:
    """Texts of messages in the console that a test provokes."""
    return []


@pytest.fixture
async def tab(chromium: "Browser", site: Site, expected_errors: list[str]) -> AsyncIterator["Page"]:
    """An empty tab. Afterwards its console has no error, and it has asked no other host."""
    context = await chromium.new_context(base_url=site.url)
    page = await context.new_page()
    errors: list[str] = []
    hosts: set[str] = set()
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
    yield page
    await context.close()
    assert [error for error in errors if not any(text in error for text in expected_errors)] == []
    assert hosts <= {site.url.split("/")[2]}
