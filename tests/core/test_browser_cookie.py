"""The cookie of a browser session."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import SecretStr

from app.core.browser_cookie import BrowserCookies
from app.core.security import AccessClaims
from tests.conftest import make_settings

CLAIMS = AccessClaims(uuid4(), uuid4())
SETTINGS = make_settings("postgresql://nowhere/app")
COOKIES = BrowserCookies.from_settings(SETTINGS)


def test_a_cookie_names_its_session() -> None:
    """A key that has become a fallback still verifies it."""
    value = COOKIES.write(CLAIMS)
    found = COOKIES.read(value)
    assert found is not None
    assert found[0] == CLAIMS
    changes = {"secret_key": SecretStr("another key " * 4), "secret_key_fallbacks": (SETTINGS.secret_key,)}
    assert BrowserCookies.from_settings(SETTINGS.model_copy(update=changes)).read(value) is not None
    other = BrowserCookies.from_settings(SETTINGS.model_copy(update={"secret_key": SecretStr("another key " * 4)}))
    assert other.read(value) is None


@pytest.mark.parametrize("value", ["", "x", "é", "=" * 8, "A" * 96, urlsafe_b64encode(b"\0" * 72).decode()])
def test_another_value_is_refused(value: str) -> None:
    """It is no error of the service."""
    assert COOKIES.read(value) is None


def test_no_byte_can_be_changed() -> None:
    """Neither of the account, nor of the session, nor of the time."""
    value = COOKIES.write(CLAIMS)
    for position in range(0, len(value), 5):
        changed = value[:position] + ("A" if value[position] != "A" else "B") + value[position + 1 :]
        assert COOKIES.read(changed) is None


def test_an_idle_session_ends() -> None:
    """The cookie carries the time of the last use."""
    assert replace(COOKIES, idle_seconds=-1).read(COOKIES.write(CLAIMS)) is None


def test_the_token_of_a_form_belongs_to_one_session() -> None:
    """A cookie is none, and neither is the token of another session."""
    token = COOKIES.csrf_token(CLAIMS.session_id)
    assert COOKIES.is_csrf_token(CLAIMS.session_id, token)
    for value in (COOKIES.csrf_token(uuid4()), COOKIES.write(CLAIMS), "", "é"):
        assert not COOKIES.is_csrf_token(CLAIMS.session_id, value)


def test_https_binds_the_cookie_to_the_host() -> None:
    """Browsers accept the prefix only with Secure, and without a domain."""
    assert COOKIES.name == "session"
    secure = SETTINGS.model_copy(update={"public_url": "https://api.example.com"})
    assert BrowserCookies.from_settings(secure).name == "__Host-session"
