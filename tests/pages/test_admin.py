"""The administration, for a browser without JavaScript."""

import pytest

from app.core.config import Settings
from app.main import create_application
from app.pages.admin.listings import listings
from tests.conftest import serving
from tests.factories import Account, Accounts
from tests.mails import Outbox
from tests.pages.conftest import OWN_PAGE, Browser

SECTIONS = ("", "/accounts", "/sessions", "/jobs", "/security-log", "/settings", *(f"/{name}" for name in listings()))


@pytest.mark.parametrize("section", SECTIONS)
async def test_a_stranger_is_led_to_the_login(browser: Browser, section: str) -> None:
    """Nothing of the page is shown."""
    answer = await browser.open(f"/admin{section}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/login?next=/admin{section}")
    assert answer.text == ""


@pytest.mark.parametrize("section", SECTIONS)
async def test_a_user_sees_nothing(browser: Browser, accounts: Accounts, section: str) -> None:
    """The login is refused; after a demotion the pages are errors for people, and the log-out still works."""
    refused = await browser.log_in(await accounts.create())
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    root = await accounts.create(admin=True)
    await browser.log_in(root)
    await accounts.change(root.id, role="user")
    answer = await browser.open(f"/admin{section}")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "<nav" not in answer.text


@pytest.mark.parametrize("section", SECTIONS)
async def test_an_administrator_sees_each_section(browser: Browser, root: Account, section: str) -> None:
    """No page is stored, and none can be framed."""
    assert (await browser.log_in(root)).headers["location"] == "/admin/jobs"
    answer = await browser.open(f"/admin{section}")
    assert answer.status_code == 200
    assert 'aria-current="page"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_a_disabled_account_is_refused_at_its_next_request(
    browser: Browser, root: Account, accounts: Accounts
) -> None:
    """By bearer token and by cookie."""
    ada = await accounts.create()
    await browser.log_in(root)
    assert (await browser.send(f"/admin/accounts/{ada.id}/disable")).status_code == 303
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 401
    assert "disabled" in (await browser.open(f"/admin/accounts/{ada.id}")).text
    assert (await browser.send(f"/admin/accounts/{ada.id}/enable")).status_code == 303


async def test_the_last_administrator_stays(browser: Browser, root: Account) -> None:
    """The page says why, and nothing changes."""
    await browser.log_in(root)
    answer = await browser.send(f"/admin/accounts/{root.id}/role", role="user")
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert (await browser.open("/admin/accounts")).status_code == 200


async def test_a_form_of_another_site_changes_nothing(browser: Browser, root: Account, accounts: Accounts) -> None:
    """Neither with the cookie alone, nor with a token of another session, nor from another origin."""
    ada = await accounts.create()
    await browser.log_in(root)
    path = f"/admin/accounts/{ada.id}/disable"
    assert (await browser.client.post(path, headers=OWN_PAGE)).status_code == 403
    assert (await browser.client.post(path, data={"csrf_token": "00"}, headers=OWN_PAGE)).status_code == 403
    token = {"csrf_token": (await browser.open("/admin/accounts")).text.split('csrf_token" value="')[1][:64]}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {},
    ):
        assert (await browser.client.post(path, data=token, headers=headers)).status_code == 403
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 200


async def test_a_page_of_another_origin_cannot_be_read(browser: Browser, root: Account) -> None:
    """Not even by an allowed origin, whose scripts CORS would let read it."""
    await browser.log_in(root)
    answer = await browser.client.get("/admin/accounts", headers={"Origin": "https://app.example"})
    assert answer.status_code == 403
    assert "csrf_token" not in answer.text


async def test_accounts_are_found(browser: Browser, root: Account, accounts: Accounts) -> None:
    """By a part of the address, the role and the state; empty fields of the form are no filters."""
    ada = await accounts.create()
    await browser.log_in(root)
    found = (await browser.open(f"/admin/accounts?email={ada.email[:6]}&role=user&is_active=")).text
    assert ada.email in found
    assert root.email not in found


async def test_sessions_can_be_ended(browser: Browser, root: Account, accounts: Accounts) -> None:
    """One of them, or all of an account."""
    ada = await accounts.create()
    await browser.log_in(root)
    assert ada.email in (await browser.open("/admin/sessions")).text
    assert (await browser.send(f"/admin/accounts/{ada.id}/sessions")).status_code == 303
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 401


async def test_secrets_are_masked(browser: Browser, root: Account) -> None:
    """The settings are those in force."""
    await browser.log_in(root)
    page = (await browser.open("/admin/settings")).text
    assert "BROWSER_SESSION_HOURS" in page
    assert "**********" in page


async def test_what_users_write_is_escaped(browser: Browser, root: Account, accounts: Accounts) -> None:
    """Names and user agents."""
    ada = await accounts.create()
    await ada.request("PATCH", "/api/v1/users/me", json={"full_name": "<script>alert(1)</script>"})
    await browser.log_in(root)
    for path in ("/admin/accounts", f"/admin/accounts/{ada.id}", "/admin/sessions"):
        assert "<script>alert" not in (await browser.open(path)).text


async def test_a_reset_is_sent_and_recorded(
    browser: Browser, root: Account, accounts: Accounts, outbox: Outbox, logs: pytest.LogCaptureFixture
) -> None:
    """With the administrator who has requested it."""
    ada = await accounts.create(verified=True)
    await browser.log_in(root)
    assert (await browser.send(f"/admin/accounts/{ada.id}/reset")).status_code == 303
    assert await outbox.token_to(ada.email)
    assert [record.msg["by"] for record in logs.records if "reset_requested" in str(record.msg)] == [str(root.id)]  # type: ignore[index]


async def test_only_the_administration_can_be_served(settings: Settings, database: object) -> None:
    """With ADMIN_PAGES=only; with off there is none."""
    del database  # emptied after the test
    for value, served, refused in (
        (
            "only",
            ("/admin/login", "/health/live", "/pages/assets/style.css"),
            ("/", "/api/v1/users/me", "/api/docs", "/mails"),
        ),
        ("off", ("/api/docs", "/pages/assets/style.css"), ("/admin", "/admin/login")),
    ):
        application = create_application(settings.model_copy(update={"admin_pages": value}))
        async with serving(application) as client:
            assert {(await client.get(path)).status_code for path in served} == {200}
            assert {(await client.get(path)).status_code for path in refused} == {404}
