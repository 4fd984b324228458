"""Changes of accounts that need the password."""

import pytest

from tests.api.v1.test_account import FORGOT, ME, NEW_PASSWORD, RESET, VERIFY, change_email, post
from tests.api.v1.test_sessions import is_logged_in
from tests.factories import PASSWORD, Accounts, problem
from tests.mails import Outbox, body


async def test_an_account_moves_when_the_new_address_confirms(accounts: Accounts, outbox: Outbox) -> None:
    """The former address gets a notice, and its links become invalid."""
    ada = await accounts.create()
    verify = await outbox.token_to(ada.email)
    await post(ada.client, FORGOT, email=ada.email)
    reset = await outbox.token_to(ada.email)

    assert (await change_email(ada, "New@Example.com")).status_code == 202
    mails = {mail["To"]: body(mail) for mail in await outbox.deliver()}
    assert set(mails) == {ada.email, "new@example.com"}
    assert "#token=" not in mails[ada.email]
    assert (await ada.request("GET", ME)).json()["email"] == ada.email

    token = mails["new@example.com"].split("#token=")[1].split()[0]
    assert (await post(ada.client, VERIFY, token=token)).status_code == 204
    me = (await (await accounts.log_in("new@example.com")).request("GET", ME)).json()
    assert (me["email"], me["is_verified"]) == ("new@example.com", True)
    assert problem(await post(ada.client, VERIFY, token=verify)) == (400, "token_invalid")
    used = await post(ada.client, RESET, token=reset, new_password=NEW_PASSWORD)
    assert problem(used) == (400, "token_invalid")


async def test_an_address_that_was_taken_meanwhile_is_not_moved_to(accounts: Accounts, outbox: Outbox) -> None:
    """The account that registered the address first keeps it."""
    ada = await accounts.create()
    await outbox.deliver()
    await change_email(ada, "new@example.com")
    token = await outbox.token_to("new@example.com")
    await accounts.create(email="new@example.com")
    assert problem(await post(ada.client, VERIFY, token=token)) == (400, "token_invalid")
    assert problem(await change_email(ada, "new@example.com")) == (409, "email_taken")


async def test_a_new_password_ends_every_other_session(accounts: Accounts, outbox: Outbox) -> None:
    """It also invalidates reset links that were sent before."""
    ada = await accounts.create()
    await outbox.deliver()
    await post(ada.client, FORGOT, email=ada.email)
    link = await outbox.token_to(ada.email)
    phone = await accounts.log_in(ada.email)
    data = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await ada.request("PUT", f"{ME}/password", json=data)).status_code == 204
    assert (await is_logged_in(phone), await is_logged_in(ada)) == (False, True)
    used = await post(ada.client, RESET, token=link, new_password=PASSWORD + "!")
    assert problem(used) == (400, "token_invalid")


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("PUT", f"{ME}/password", {"current_password": "wrong", "new_password": NEW_PASSWORD}),
        ("PUT", f"{ME}/email", {"email": "new@example.com", "password": "wrong"}),
        ("DELETE", ME, {"password": "wrong"}),
    ],
)
async def test_a_token_alone_does_not_take_an_account_over(
    accounts: Accounts, method: str, path: str, data: dict[str, str]
) -> None:
    """Such changes need the password."""
    ada = await accounts.create()
    assert problem(await ada.request(method, path, json=data)) == (403, "password_incorrect")
    assert await is_logged_in(await accounts.log_in(ada.email))


async def test_people_delete_their_account(accounts: Accounts) -> None:
    """The address can then be registered again."""
    ada = await accounts.create()
    await ada.create_note()
    assert (await ada.request("DELETE", ME, json={"password": PASSWORD})).status_code == 204
    assert not await is_logged_in(ada)
    assert (await accounts.create(email=ada.email)).id != ada.id


async def test_the_last_administrator_does_not_leave(accounts: Accounts) -> None:
    """The only administrator cannot delete the account."""
    root = await accounts.create(admin=True)
    assert problem(await root.request("DELETE", ME, json={"password": PASSWORD})) == (409, "last_admin")


@pytest.mark.parametrize(
    "password", ["password1234", "QWERTYUIOP12", "passwordpassword", "111111111111", "123456789012", "abcdefghijkl"]
)
async def test_passwords_that_attackers_try_first_are_refused(accounts: Accounts, password: str) -> None:
    """Every operation that sets a password checks it."""
    ada = await accounts.create()
    for response in (
        await post(ada.client, "/api/v1/users", email="b@example.com", password=password),
        await post(ada.client, RESET, token="x", new_password=password),
        await ada.request("PUT", f"{ME}/password", json={"current_password": PASSWORD, "new_password": password}),
    ):
        assert problem(response) == (422, "validation_failed")
        assert response.json()["errors"][0]["code"] == "password_too_common"
        assert password not in response.text
