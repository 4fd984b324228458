"""Forged, swapped, expired and truncated tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from app.core.config import Settings
from app.core.security import AccessTokens, derive_key
from tests.factories import Account, Accounts, problem
from tests.test_access import PROTECTED


def forgeries(good: Account, other: Account, settings: Settings) -> Iterator[str]:
    """Return tokens that differ from a valid one in one respect."""
    yield from forged_claims(good, other, settings)
    yield from forged_strings(good, other)


def forged_claims(good: Account, other: Account, settings: Settings) -> Iterator[str]:
    """Yield tokens with another claim, header, key or algorithm."""
    tokens = AccessTokens.from_settings(settings)
    claims: dict[str, Any] = jwt.decode(good.token, options={"verify_signature": False})
    now = datetime.now(UTC)
    key = tokens.keys[tokens.current]
    header: dict[str, Any] = {"typ": "at+jwt", "kid": tokens.current}

    def signed(
        changes: dict[str, Any], headers: dict[str, Any] = header, secret: Any = key, algorithm: str = "HS256"
    ) -> str:
        merged = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(merged, secret, algorithm, headers=headers)

    yield from (signed({name: None}) for name in ("iss", "aud", "sub", "sid", "jti", "iat", "exp"))
    yield from (signed({"sub": value}) for value in ("", "x", "\0", str(other.id), str(uuid4()), str(UUID(int=0))))
    yield from (signed({"sid": value}) for value in ("", "x", "\0", str(uuid4()), claims["sub"]))
    yield from (signed({"iss": value}) for value in ("", "https://evil.example", "http://localhost:8000/"))
    yield from (signed({"aud": value}) for value in ("", "other", ["other"]))
    yield from (signed({"exp": value}) for value in (0, now - timedelta(minutes=1), -1))
    yield from (signed({name: now + timedelta(hours=1)}) for name in ("iat", "nbf"))
    yield from (signed({}, {**header, "typ": value}) for value in ("JWT", "at+JWT ", "refresh", ""))
    yield from (signed({}, {**header, "kid": value}) for value in ("", "x", "../key", tokens.current + "0"))
    yield signed({}, {"typ": "at+jwt"})
    secret = settings.secret_key.get_secret_value()
    wrong = [derive_key(secret, purpose) for purpose in ("cursor", "", "jwt")]
    yield from (signed({}, secret=value) for value in (b"0" * 32, secret.encode(), good.token.encode() * 2, *wrong))
    yield from (signed({}, secret=key * 2, algorithm=algorithm) for algorithm in ("HS384", "HS512"))
    yield signed({}, secret="", algorithm="none")


def forged_strings(good: Account, other: Account) -> Iterator[str]:
    """Yield valid tokens that are cut, mixed or extended."""
    head, payload, signature = good.token.split(".")
    other_head, other_payload, other_signature = other.token.split(".")
    swaps = ((head, payload, other_signature), (head, other_payload, signature), (other_head, other_payload, signature))
    yield from (".".join(parts) for parts in swaps)
    yield from (good.token + suffix for suffix in ("=", "==", ".", ".x", "x", "\0", "%00"))
    yield from (good.token[:-1], good.token[1:], good.token[:20], good.token.swapcase(), good.token[::-1])
    yield from (f"{head}..{signature}", f".{payload}.{signature}", f"{head}.{payload}.", f"{head}.{payload}")
    yield from ("..", ".", "", f'"{good.token}"', good.refresh_token, "x" * 10_000)


@pytest.mark.soak
async def test_forged_swapped_expired_and_truncated_tokens_are_401_everywhere(
    accounts: Accounts, settings: Settings
) -> None:
    """At least 60 tokens, on each protected operation."""
    ada, bob = await accounts.create(), await accounts.create()
    forged = set(forgeries(ada, bob, settings))
    assert len(forged) >= 60
    for token in forged:
        for operation in PROTECTED:
            headers = [(b"Authorization", f"Bearer {token}".encode())]
            response = await ada.client.request(operation.method, operation.path(), headers=headers)
            assert problem(response) == (401, "unauthenticated"), token
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 200
