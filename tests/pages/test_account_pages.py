"""The pages that the links in mails lead to."""

import re

import pytest

from tests.factories import PASSWORD, Accounts, problem
from tests.mails import Outbox
from tests.pages.conftest import OWN_PAGE, Browser

NEW_PASSWORD = "another horse battery staple"


@pytest.mark.parametrize("path", ["/verify-email", "/change-email", "/reset-password"])
async def test_a_page_shows_a_form_and_uses_nothing_up(browser: Browser, path: str) -> None:
    """Its script comes from here, and so does everything else."""
    page = await browser.open(path)
    assert page.status_code == 200
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page.text)) == {
        "/pages/assets/style.css",
        "/pages/assets/link.js",
        "data:,",
        "#main",
    }
    assert (await browser.open("/pages/assets/link.js")).status_code == 200


async def test_an_address_is_verified(browser: Browser, outbox: Outbox) -> None:
    """With the token that the script has put into the form; it works once."""
    account = {"email": "ada@example.com", "password": PASSWORD}
    assert (await browser.client.post("/api/v1/users", json=account)).status_code == 201
    token = await outbox.token_to("ada@example.com")
    for status, text in ((200, "Your address is confirmed"), (422, 'role="alert"')):
        answer = await browser.client.post("/verify-email", data={"token": token}, headers=OWN_PAGE)
        assert (answer.status_code, text in answer.text) == (status, True)


async def test_a_password_is_reset(browser: Browser, accounts: Accounts, outbox: Outbox) -> None:
    """An error is shown in place, and the link still works afterwards."""
    ada = await accounts.create(verified=True)
    await browser.client.post("/api/v1/auth/password/forgot", json={"email": ada.email})
    token = await outbox.token_to(ada.email)
    for password, status in (("short", 422), ("password1234", 422), (NEW_PASSWORD, 200), (NEW_PASSWORD, 422)):
        form = {"token": token, "new_password": password}
        answer = await browser.client.post("/reset-password", data=form, headers=OWN_PAGE)
        assert (answer.status_code, password in answer.text) == (status, False)
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 401


@pytest.mark.parametrize("path", ["/verify-email", "/change-email", "/reset-password"])
@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "x" * 201}, {"token": "\0"}])
async def test_a_bad_form_is_an_error_for_people(browser: Browser, path: str, form: dict[str, str]) -> None:
    """With the page of the form, or with that of an error."""
    answer = await browser.client.post(path, data=form, headers=OWN_PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")


async def test_another_site_cannot_send_the_form(browser: Browser) -> None:
    """Otherwise it could confirm an address with a link from another mail."""
    answer = await browser.client.post("/verify-email", data={"token": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_the_api_keeps_its_problem_documents(browser: Browser) -> None:
    """Pages change nothing for programs."""
    assert problem(await browser.open("/nowhere")) == (404, "not_found")
