"""Access tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from app.core.config import Settings
from app.core.exceptions import UnauthenticatedError
from app.core.security import AccessClaims, AccessTokens, derive_key

OLD, NEW = "an-old-key-0123456789-0123456789-abc", "a-new-key-0123456789-0123456789-abcd"
CLAIMS = AccessClaims(uuid4(), uuid4())


def make(secret: str = NEW, *fallbacks: str, **changes: object) -> AccessTokens:
    """Build the issuer from settings."""
    values: dict[str, Any] = {"secret_key": secret, "secret_key_fallbacks": ",".join(fallbacks), **changes}
    return AccessTokens.from_settings(Settings(_env_file=None, **values))


def forge(
    tokens: AccessTokens, *, drop: str = "", header: dict[str, Any] | None = None, key: bytes = b"", **claims: object
) -> str:
    """Sign a token that differs in one respect from a good one."""
    now = datetime.now(UTC)
    payload = {
        "iss": tokens.issuer,
        "aud": tokens.audience,
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "jti": "1",
        "iat": now,
        "exp": now + timedelta(minutes=5),
    } | claims
    payload.pop(drop, None)
    headers = {"typ": "at+jwt", "kid": tokens.current} | (header or {})
    return jwt.encode(payload, key or tokens.keys[tokens.current], "HS256", headers=headers)


def test_a_token_says_whose_it_is() -> None:
    """The claims that are read are those that were signed."""
    tokens = make()
    assert tokens.verify(tokens.issue(CLAIMS)) == CLAIMS
    assert tokens.verify(forge(tokens)).user_id


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
def test_every_claim_is_required(claim: str) -> None:
    """A token that lacks one is refused."""
    tokens = make()
    with pytest.raises(UnauthenticatedError):
        tokens.verify(forge(tokens, drop=claim))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"sub": "not a uuid"},
        {"sub": "nul \x00"},
        {"sub": 5},
        {"sid": ""},
        {"sid": 5},
        {"sid": [1]},
        {"exp": timedelta(minutes=-1)},
        {"iat": timedelta(minutes=1)},
        {"header": {"typ": "JWT"}},
        {"header": {"kid": "unknown"}},
        {"header": {"kid": ""}},
        {"key": b"another key of thirty-two bytes!!"},
        {"key": derive_key(NEW, "cursor")},
        {"key": NEW.encode()},
    ],
)
def test_one_invalid_claim_is_enough(claims: dict[str, Any]) -> None:
    """Issuer, audience, subject, times, type or key."""
    tokens = make()
    # Now, not when the tests were collected, which may be long ago.
    now = datetime.now(UTC)
    claims = {name: now + value if isinstance(value, timedelta) else value for name, value in claims.items()}
    with pytest.raises(UnauthenticatedError):
        tokens.verify(forge(tokens, **claims))


def test_a_token_has_one_spelling() -> None:
    """Padding and unused bits of base64 make a token invalid."""
    tokens = make()
    token = tokens.issue(CLAIMS)
    head, payload, _ = token.split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + letters[letters.index(token[-1]) ^ 1]
    unsigned = jwt.encode({"sub": str(uuid4())}, "", "none", headers={"typ": "at+jwt", "kid": tokens.current})
    for other in (twin, token + "=", token + "==", f"{token} ", f"{head}.{payload}.", token[:-1], unsigned, "x" * 9000):
        with pytest.raises(UnauthenticatedError):
            tokens.verify(other)


def test_a_fallback_verifies_and_does_not_sign() -> None:
    """This is how keys are rotated."""
    before, after = make(OLD), make(NEW, OLD)
    assert after.verify(before.issue(CLAIMS)) == CLAIMS
    with pytest.raises(UnauthenticatedError):
        before.verify(after.issue(CLAIMS))
    with pytest.raises(UnauthenticatedError):
        make(NEW).verify(before.issue(CLAIMS))
