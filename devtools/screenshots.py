"""`make screenshots`: take the pictures of the README in Chromium, of a service with some data."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

from app.core.database_url import PROJECT_ROOT, socket_url
from devtools.postgres import running_postgres
from tests.browser.site import Site, running_site
from tests.factories import PASSWORD

IMAGES = PROJECT_ROOT / "docs" / "images"
SIZE = {"width": 1200, "height": 720}
PEOPLE = ("Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson")


def fill(site: Site) -> None:
    """Register some people, who create items."""
    for name in PEOPLE:
        token = site.register(f"{name.split()[0].lower()}@example.com", full_name=name)
        site.request("POST", "/api/v1/items", token, title=f"The first item of {name}")


async def take(page: Page, path: str, name: str) -> None:
    """Open a page and write its picture."""
    await page.goto(path)
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=IMAGES / f"{name}.png")


async def take_all(site: Site, chromium: str) -> None:
    """Take all pictures."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(base_url=site.url, viewport=SIZE)  # type: ignore[arg-type]  # a typed dictionary
        await take(page, "/", "start")
        await take(page, "/api/docs", "documentation")
        await take(page, "/mails", "mails")
        await page.goto("/admin/accounts")
        await page.get_by_label("E-mail address").fill("root@example.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await take(page, "/admin/accounts", "administration")
        await browser.close()


def main() -> int:
    """Start a database and the service, and take the pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is needed (Debian: chromium)")
        return 1
    IMAGES.mkdir(exist_ok=True)
    folder = Path(tempfile.gettempdir()) / "screenshots"  # It is seen on the start page.
    folder.mkdir()
    folder.chmod(0o755)  # As root PostgreSQL runs as another user.
    try:
        with running_postgres(folder / "pg", "fsync = off") as server:
            server.create_database("app")
            with running_site(socket_url(folder / "pg", "app"), folder) as site:
                fill(site)
                asyncio.run(take_all(site, chromium))
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
