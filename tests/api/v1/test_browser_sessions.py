"""Sessions in cookies, for a front end of the service."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.core.config import Settings
from tests.conftest import serving
from tests.factories import PASSWORD, Account, Accounts, problem
from tests.notes.application import create_notes_application

PATH = "/api/v1/auth/browser-session"
ME = "/api/v1/users/me"
FRONT_END = "https://app.example"
OWN = {"Origin": FRONT_END}


@pytest.fixture
async def browser(settings: Settings, client: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser whose front end is served from another origin."""
    del client  # its database is emptied after the test
    changed = settings.model_copy(update={"allowed_origins": (FRONT_END,)})
    async with serving(create_notes_application(changed)) as own:
        yield own


@pytest.fixture
async def ada(accounts: Accounts) -> Account:
    """A user."""
    return await accounts.create()


async def log_in(browser: httpx2.AsyncClient, account: Account, **headers: str) -> httpx2.Response:
    """Log in with a password."""
    return await browser.post(PATH, json={"email": account.email, "password": PASSWORD}, headers={**OWN, **headers})


async def test_a_front_end_reads_and_changes(browser: httpx2.AsyncClient, ada: Account) -> None:
    """With the cookie, which scripts cannot read, and for changes with the token of its session."""
    answer = await log_in(browser, ada)
    assert answer.status_code == 200
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in answer.headers["set-cookie"]
    assert answer.headers["access-control-allow-origin"] == FRONT_END
    assert answer.headers["access-control-allow-credentials"] == "true"
    read = await browser.get(ME)
    assert (read.status_code, read.json()["id"]) == (200, str(ada.id))
    assert read.headers["cache-control"] == "no-store"
    token = (await browser.get(PATH)).json()["csrf_token"]
    assert token == answer.json()["csrf_token"]
    changed = await browser.patch(ME, json={"full_name": "Ada"}, headers={**OWN, "X-CSRF-Token": token})
    assert (changed.status_code, changed.json()["full_name"]) == (200, "Ada")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": FRONT_END},
        {"Origin": FRONT_END, "X-CSRF-Token": "00"},
        {"Origin": FRONT_END, "X-CSRF-Token": "another"},
        {"Origin": "https://evil.example", "X-CSRF-Token": "its own"},
        {"Origin": "null", "X-CSRF-Token": "its own"},
        {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "its own"},
        {"Sec-Fetch-Site": "same-site", "X-CSRF-Token": "its own"},
        {"X-CSRF-Token": "its own"},
    ],
)
async def test_another_site_changes_nothing(browser: httpx2.AsyncClient, ada: Account, headers: dict[str, str]) -> None:
    """The cookie alone is not enough, nor is a token of another session or another origin."""
    another = (await log_in(browser, ada)).json()["csrf_token"]
    browser.cookies.clear()  # Otherwise the next login would end this session.
    own = (await log_in(browser, ada)).json()["csrf_token"]
    sent = {name: {"its own": own, "another": another}.get(value, value) for name, value in headers.items()}
    assert problem(await browser.patch(ME, json={"full_name": "Eve"}, headers=sent)) == (403, "forbidden")
    assert (await browser.get(ME)).json()["full_name"] is None


async def test_another_site_cannot_log_in(browser: httpx2.AsyncClient, ada: Account) -> None:
    """Otherwise an attacker could log a victim in to the account of the attacker."""
    refused = await log_in(browser, ada, Origin="https://evil.example")
    assert problem(refused) == (403, "forbidden")
    assert "set-cookie" not in refused.headers


async def test_a_wrong_password_sets_no_cookie(browser: httpx2.AsyncClient, ada: Account) -> None:
    """The error is that of a login with a token."""
    answer = await browser.post(PATH, json={"email": ada.email, "password": "wrong horse"}, headers=OWN)
    assert problem(answer) == (400, "invalid_grant")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("is_own", [True, False])
async def test_a_login_ends_the_session_of_the_cookie_that_it_replaces(
    browser: httpx2.AsyncClient, ada: Account, accounts: Accounts, is_own: bool
) -> None:
    """Whether it is a session of the same account or of another one."""
    await log_in(browser, ada)
    previous = browser.cookies["session"]
    await log_in(browser, ada if is_own else await accounts.create())
    assert (await browser.get(ME)).status_code == 200
    browser.cookies.clear()
    browser.cookies.set("session", previous)
    assert problem(await browser.get(ME)) == (401, "unauthenticated")


async def test_a_log_out_ends_the_session(browser: httpx2.AsyncClient, ada: Account) -> None:
    """The cookie is deleted, and a copy of it is of no use."""
    token = (await log_in(browser, ada)).json()["csrf_token"]
    cookie = browser.cookies["session"]
    assert (await browser.delete(PATH, headers={**OWN, "X-CSRF-Token": token})).status_code == 204
    assert "session" not in browser.cookies
    browser.cookies.set("session", cookie)
    assert problem(await browser.get(ME)) == (401, "unauthenticated")
    again = await browser.delete(PATH)  # Otherwise the browser could not get rid of the cookie.
    assert (again.status_code, again.headers["set-cookie"].partition(";")[0]) == (204, 'session=""')


async def test_a_cookie_is_renewed_by_every_response(
    browser: httpx2.AsyncClient, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors renew it, too; the log-out does not."""
    token = (await log_in(browser, ada)).json()["csrf_token"]
    monkeypatch.setattr("app.browser.session.RENEW_AFTER_SECONDS", -1)
    assert "session=" in (await browser.get("/api/v1/items/1")).headers["set-cookie"]
    answer = await browser.delete(PATH, headers={**OWN, "X-CSRF-Token": token})
    assert [header.partition(";")[0] for header in answer.headers.get_list("set-cookie")] == ['session=""']


@pytest.mark.parametrize("name", ["\xa0session", "\x85session", "session"])
async def test_a_cookie_of_another_host_does_not_win(browser: httpx2.AsyncClient, ada: Account, name: str) -> None:
    """One with a similar name is another one; one that is sent twice is none."""
    await log_in(browser, ada)
    own = browser.cookies["session"]
    browser.cookies.clear()
    cookie = f"session={own}; {name}=x".encode("latin-1")
    expected = 401 if name == "session" else 200
    assert (await browser.get(ME, headers=[(b"Cookie", cookie)])).status_code == expected
    assert (await browser.get(ME, headers=[(b"Cookie", f"{name}={own}".encode("latin-1"))])).status_code != expected


async def test_a_revocation_ends_it_too(browser: httpx2.AsyncClient, ada: Account) -> None:
    """It is in the list of the account's sessions."""
    await log_in(browser, ada)
    listed = (await browser.get("/api/v1/auth/sessions")).json()["items"]
    [own] = [session["id"] for session in listed if session["is_current"]]
    assert (await browser.delete(f"/api/v1/auth/sessions/{own}", headers=ada.headers)).status_code == 204
    assert problem(await browser.get(ME)) == (401, "unauthenticated")


async def test_a_bearer_token_wins_over_a_cookie(browser: httpx2.AsyncClient, ada: Account, accounts: Accounts) -> None:
    """An invalid cookie is refused."""
    await log_in(browser, ada)
    eve = await accounts.create()
    assert (await browser.get(ME, headers=eve.headers)).json()["id"] == str(eve.id)
    assert problem(await browser.get(ME, headers={"Authorization": "Bearer x"})) == (401, "unauthenticated")
    browser.cookies.clear()
    assert problem(await browser.get(ME, headers={"Cookie": "theme=dark; session=x"})) == (401, "unauthenticated")
