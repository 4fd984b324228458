"""What a person does with the pages."""

import re
from itertools import count

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser
ROOT = "root@example.com"
NEW_PASSWORD = "another horse battery staple"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PUBLIC_PAGES = ["/", "/mails", "/verify-email", "/reset-password", "/admin/login"]
ADMIN_PAGES = [
    "/admin/accounts",
    "/admin/sessions",
    "/admin/jobs",
    "/admin/security-log",
    "/admin/settings",
    "/admin/items",
]
numbers = count(1)


def new_address() -> str:
    """Return an address that no account has."""
    return f"user{next(numbers)}@example.com"


async def log_in(tab: Page, target: str = "/admin/accounts") -> None:
    """Log in to the administration with the mouse."""
    await tab.goto(target)
    await tab.get_by_label("E-mail address").fill(ROOT)
    await tab.get_by_label("Password").fill(PASSWORD)
    await tab.get_by_role("button", name="Log in").click()
    await expect(tab).to_have_url(re.compile(f"{target}$"))


async def test_the_documentation_calls_an_operation(tab: Page, site: Site) -> None:
    """After a login with its own button."""
    email = new_address()
    site.register(email)
    await tab.goto("/api/docs")
    await tab.get_by_role("button", name="Authorize").first.click()
    await tab.locator("#oauth_username").fill(email)
    await tab.locator("#oauth_password").fill(PASSWORD)
    await tab.locator(".auth-btn-wrapper button.authorize").click()
    await tab.locator(".auth-btn-wrapper button.btn-done").click()
    operation = tab.locator("#operations-users-read_current_user")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    await expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    await expect(operation.locator(".live-responses-table")).to_contain_text(email)


async def test_redoc_shows_the_operations(tab: Page) -> None:
    """Its scripts and styles come from the service."""
    await tab.goto("/api/redoc")
    await expect(tab.get_by_role("heading", name="Read Current User").first).to_be_visible()


async def test_an_address_is_verified_with_the_link_of_its_mail(tab: Page, site: Site) -> None:
    """From the registration to the verified account."""
    email = new_address()
    token = site.register(email)
    await open_mail(tab, email, "Confirm your address")
    await tab.locator("pre a").first.click()
    await expect(tab).to_have_url(f"{site.url}/verify-email")
    await tab.get_by_role("button", name="Confirm this address").click()
    await expect(tab.get_by_role("status")).to_contain_text("Your address is confirmed")
    assert site.request("GET", "/api/v1/users/me", token).json()["is_verified"] is True


async def test_a_password_is_reset(tab: Page, site: Site, expected_errors: list[str]) -> None:
    """A common password is refused in place, and the link still works."""
    expected_errors.append("422")  # Chromium notes the status of the page.
    email = new_address()
    site.register(email)
    site.request("POST", "/api/v1/auth/password/forgot", "", email=email)
    await open_mail(tab, email, "Reset your password")
    await tab.locator("pre a").first.click()
    for password in ("password1234", NEW_PASSWORD):
        await tab.get_by_label("New password").fill(password)
        await tab.get_by_role("button", name="Set the password").click()
        if password != NEW_PASSWORD:
            await expect(tab.get_by_role("alert")).to_contain_text("too common")
    await expect(tab.get_by_role("status")).to_contain_text("Your password is set")
    assert site.log_in(email, NEW_PASSWORD)


async def open_mail(tab: Page, email: str, subject: str) -> None:
    """Open the newest mail to an address, as soon as it has been written."""
    row = tab.get_by_role("row", name=email).filter(has_text=subject)
    for _ in range(50):
        await tab.goto("/mails")
        if await row.count():
            break
        await tab.wait_for_timeout(100)
    await row.get_by_role("link").first.click()
    await expect(tab.get_by_role("heading", level=1)).to_contain_text(subject)


async def test_an_administrator_disables_an_account(tab: Page, site: Site) -> None:
    """Its next request is refused."""
    email = new_address()
    token = site.register(email)
    await log_in(tab)
    await tab.get_by_label("Address contains").fill(email)
    await tab.get_by_role("button", name="Search").click()
    await tab.get_by_role("link", name=email).click()
    await tab.get_by_role("button", name="Disable").click()
    await expect(tab.get_by_role("button", name="Enable")).to_be_visible()
    assert site.request("GET", "/api/v1/users/me", token).status_code == 401


async def test_the_keyboard_is_enough(tab: Page) -> None:
    """To log in, to move on, and to log out."""
    await tab.goto("/admin/login")
    await tab.keyboard.press("Tab")
    await expect(tab.get_by_role("link", name="Skip to the content")).to_be_focused()
    await tab.keyboard.press("Tab")
    await tab.keyboard.type(ROOT)
    await tab.keyboard.press("Tab")
    await tab.keyboard.type(PASSWORD)
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Accounts")).to_be_visible()
    await tab.get_by_role("link", name="Jobs").focus()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Jobs")).to_be_visible()
    await tab.get_by_role("button", name="Log out").focus()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Log in")).to_be_visible()


async def test_what_users_write_runs_nowhere(tab: Page, site: Site) -> None:
    """Name, title and user agent; a script that ran would open a dialog."""
    email = new_address()
    token = site.register(email, full_name=SCRIPT)
    site.log_in(email, **{"User-Agent": SCRIPT})
    site.request("POST", "/api/v1/items", token, title=SCRIPT)
    await log_in(tab)
    await tab.get_by_label("Address contains").fill(email)
    await tab.get_by_role("button", name="Search").click()
    await expect(tab.get_by_role("cell", name=SCRIPT)).to_be_visible()
    await tab.get_by_role("link", name=email).click()
    for path in ("/admin/sessions", "/admin/items", "/mails"):
        await tab.goto(path)
        await expect(tab.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("path", ["/admin/login", "/", "/api/docs", "/verify-email"])
async def test_no_page_can_be_framed(tab: Page, site: Site, expected_errors: list[str], path: str) -> None:
    """Neither by another page of the service."""
    expected_errors += ["frame", "Refused"]
    await tab.goto("/mails")
    await tab.evaluate(f"document.body.innerHTML = '<iframe src=\"{site.url}{path}\"></iframe>'")
    await tab.wait_for_timeout(300)
    assert [frame.url for frame in tab.frames[1:]] == ["chrome-error://chromewebdata/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PUBLIC_PAGES, *ADMIN_PAGES])
async def test_a_page_is_accessible_and_fits_a_phone(tab: Page, path: str, scheme: str) -> None:
    """axe-core finds no violation; at a width of 360 pixels nothing is cut off."""
    await tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    await tab.set_viewport_size({"width": 360, "height": 740})
    if path in ADMIN_PAGES:
        await log_in(tab, path)
    else:
        await tab.goto(path)
    found = await Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
    assert await tab.evaluate("document.documentElement.scrollWidth") <= 360
