"""Which passwords, names and addresses are accepted."""

import httpx2
import pytest

from tests.api.v1.test_account import FORGOT, ME, RESET, VERIFY, post
from tests.api.v1.test_takeover import change_password, log_in
from tests.factories import PASSWORD, Accounts, problem
from tests.mails import Outbox


@pytest.mark.parametrize(
    "password", ["Summer2026!!", "P@ssw0rd1234", "ada.lovelace", "Lovelace1815", "abcabcabcabc", "qwertyuiopas"]
)
async def test_easy_passwords_are_refused(client: httpx2.AsyncClient, password: str) -> None:
    """Common passwords, also with symbols around them, and the words of the account itself."""
    data = {"email": "ada.lovelace@example.com", "password": password, "full_name": "Ada Lovelace"}
    response = await client.post("/api/v1/users", json=data)
    assert response.status_code == 422
    assert "password_too_common" in response.text


async def test_the_password_of_the_brief_registers(client: httpx2.AsyncClient) -> None:
    """There is no rule of composition, and the list of common passwords is not too long."""
    data = {"email": "user@example.com", "password": "securepassword"}
    assert (await client.post("/api/v1/users", json=data)).status_code == 201


async def test_own_words_are_refused_in_a_change_and_a_reset(accounts: Accounts, outbox: Outbox) -> None:
    """The rule is the same as in a registration."""
    ada = await accounts.create(email="ada.lovelace@example.com")
    await outbox.deliver()
    assert problem(await change_password(ada, "ada.lovelace1")) == (422, "password_too_common")
    await post(ada.client, FORGOT, email=ada.email)
    token = await outbox.token_to(ada.email)
    refused = await post(ada.client, RESET, token=token, new_password="ada.lovelace1")
    assert problem(refused) == (422, "password_too_common")


async def test_a_lone_surrogate_in_a_password_is_refused(accounts: Accounts) -> None:
    """In every password field, because UTF-8 cannot encode it."""
    ada = await accounts.create()
    bad = "\\ud800 is not a character"
    requests = [
        ("POST", "/api/v1/users", f'{{"email": "a@example.com", "password": "{bad}"}}'),
        ("PUT", f"{ME}/password", f'{{"current_password": "{bad}", "new_password": "{bad}"}}'),
        ("PUT", f"{ME}/email", f'{{"email": "a@example.com", "password": "{bad}"}}'),
        ("DELETE", ME, f'{{"password": "{bad}"}}'),
        ("POST", RESET, f'{{"token": "{bad}", "new_password": "{bad}"}}'),
        ("POST", VERIFY, f'{{"token": "{bad}"}}'),
    ]
    for method, path, content in requests:
        headers = {"Content-Type": "application/json"}
        response = await ada.request(method, path, content=content.encode(), headers=headers)
        assert problem(response) == (422, "validation_failed"), path


async def test_a_name_is_one_line_and_not_quoted_to_strangers(accounts: Accounts, outbox: Outbox) -> None:
    """Otherwise anyone could write the text of mails that the service sends."""
    evil = "you won: https://evil.example"
    data = {"email": "victim@example.com", "password": PASSWORD, "full_name": evil}
    client = accounts.client
    for name in ("a\nb", "a\u2028b", "a\x85b"):
        assert (await client.post("/api/v1/users", json={**data, "full_name": name})).status_code == 422
    assert (await client.post("/api/v1/users", json=data)).status_code == 201
    await post(client, FORGOT, email="victim@example.com")
    mails = await outbox.deliver()
    assert len(mails) == 2
    assert not [mail for mail in mails if "evil.example" in mail.as_string()]


@pytest.mark.parametrize(
    ("given", "stored"),
    [("Bob@Example.COM", "bob@example.com"), ("bob@straße.de", "bob@straße.de"), ("BOB@STRASSE.de", "bob@strasse.de")],
)
async def test_an_address_keeps_its_domain(client: httpx2.AsyncClient, given: str, stored: str) -> None:
    """In IDNA 2008, ß is a letter, so the domain differs from one with ss."""
    response = await client.post("/api/v1/users", json={"email": given, "password": PASSWORD})
    assert response.json()["email"] == stored
    assert (await log_in(client, given)).status_code == 200


@pytest.mark.parametrize("email", ["ünï@example.com", "=?utf-8?q?a?=@example.com"])
async def test_an_address_that_no_mail_reaches_is_refused(client: httpx2.AsyncClient, email: str) -> None:
    """It is refused by the request, not by a job that fails."""
    response = await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
    assert problem(response) == (422, "validation_failed")
