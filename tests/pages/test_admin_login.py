"""Log in to the administration, and out of it, in a browser without JavaScript."""

from tests.factories import Account, Accounts
from tests.pages.conftest import OWN_PAGE, TOKEN, Browser


async def test_a_login_that_is_refused_does_not_log_the_browser_out(
    browser: Browser, root: Account, accounts: Accounts
) -> None:
    """The cookie of the administrator stays valid."""
    await browser.log_in(root)
    refused = await browser.log_in(await accounts.create())
    assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    assert (await browser.open("/admin/jobs")).status_code == 200


async def test_a_session_ends_with_the_log_out(browser: Browser, root: Account) -> None:
    """The cookie is of no use afterwards."""
    await browser.log_in(root)
    cookie = browser.client.cookies["session"]
    assert (await browser.send("/admin/logout")).headers["location"] == "/admin/login"
    browser.client.cookies.set("session", cookie)
    assert (await browser.open("/admin")).status_code == 303


async def test_a_revoked_session_ends_immediately(browser: Browser, root: Account) -> None:
    """The cookie stands for a session in the list of the account."""
    await browser.log_in(root)
    assert (await root.request("DELETE", "/api/v1/auth/sessions")).status_code == 204
    assert (await browser.open("/admin")).status_code == 303


async def test_a_wrong_password_is_shown_in_place(browser: Browser, root: Account) -> None:
    """The address stays in the form, the password does not."""
    form = {"email": root.email, "password": "wrong horse", "next": "//evil.example"}
    answer = await browser.client.post("/admin/login", data=form, headers=OWN_PAGE)
    assert answer.status_code == 400
    assert f'value="{root.email}"' in answer.text
    assert "wrong horse" not in answer.text
    assert 'name="next" value="/admin"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_demoted_administrator_can_log_out(browser: Browser, root: Account, accounts: Accounts) -> None:
    """The session ends, and not only its cookie."""
    await browser.log_in(root)
    token = TOKEN.search((await browser.open("/admin/accounts")).text)
    assert token
    await accounts.change(root.id, role="user")
    answer = await browser.client.post("/admin/logout", data={"csrf_token": token[1]}, headers=OWN_PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
