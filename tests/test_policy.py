"""Every operation, called by every kind of caller, on every kind of object."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from app.api.policy import POLICY, Access
from app.core.config import Settings
from app.core.security import AccessTokens, derive_key
from tests.factories import Account, Accounts, problem
from tests.operations import Operation, operations

OPERATIONS = {operation.operation_id: operation for operation in operations()}
PROTECTED = [operation for name, operation in OPERATIONS.items() if POLICY[name] is not Access.ANYONE]
OWNED = [
    operation
    for name, operation in OPERATIONS.items()
    if "{" in operation.template and POLICY[name] in (Access.USER, Access.USER_OR_ADMIN)
]
every_protected_operation = pytest.mark.parametrize("operation", PROTECTED, ids=str)


def test_every_operation_has_one_line() -> None:
    """And no line is left of an operation that is gone."""
    assert OPERATIONS.keys() == POLICY.keys()


async def objects_of(account: Account, operation: Operation) -> object:
    """The id of something of this account's that the operation could act on."""
    if "{item_id}" in operation.template:
        return (await account.create_item())["id"]
    if "{session_id}" in operation.template:
        return (await account.request("GET", "/api/v1/auth/sessions")).json()["items"][0]["id"]
    return account.id


def body_of(operation: Operation) -> dict[str, Any]:
    """A body that says nothing wrong, where one is wanted."""
    return {"json": {}} if operation.method == "PATCH" else {}


@every_protected_operation
async def test_nobody_gets_in_without_a_session(operation: Operation, accounts: Accounts) -> None:
    """Anonymous, with garbage, disabled, logged out."""
    disabled, left = await accounts.create(), await accounts.create()
    await accounts.change(disabled.id, is_active=False)
    await left.client.post("/api/v1/auth/revoke", data={"token": left.token})
    for token in (None, "garbage", disabled.token, left.token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await left.client.request(operation.method, operation.path(), headers=headers)
        assert problem(response) == (401, "unauthenticated")


@pytest.mark.parametrize("operation", [o for o in PROTECTED if POLICY[o.operation_id] is Access.ADMIN], ids=str)
async def test_administration_is_refused_to_users(operation: Operation, accounts: Accounts) -> None:
    """On their own things, on another's, on what is missing."""
    ada, bob = await accounts.create(), await accounts.create()
    for value in (1, 2**40) if "{job_id}" in operation.template else (ada.id, bob.id, uuid4()):
        response = await ada.request(operation.method, operation.path(value), **body_of(operation))
        assert problem(response) == (403, "forbidden")


@pytest.mark.parametrize("operation", OWNED, ids=str)
async def test_people_reach_their_own_things_and_nobody_elses(operation: Operation, accounts: Accounts) -> None:
    """Another's and a missing one are the same 404, also for administrators but for accounts; a malformed id is 422."""
    ada, bob, root = await accounts.create(), await accounts.create(), await accounts.create(admin=True)
    own, anothers = await objects_of(ada, operation), await objects_of(bob, operation)
    body = body_of(operation)
    refused = [await ada.request(operation.method, operation.path(value), **body) for value in (anothers, uuid4())]
    assert [problem(response) for response in refused] == [(404, "not_found")] * 2
    malformed = await ada.request(operation.method, operation.path("not-an-id"), **body)
    assert problem(malformed) == (422, "validation_failed")
    by_root = await root.request(operation.method, operation.path(anothers), **body)
    assert by_root.status_code == (200 if POLICY[operation.operation_id] is Access.USER_OR_ADMIN else 404)
    assert (await ada.request(operation.method, operation.path(own), **body)).is_success


def forgeries(good: Account, other: Account, settings: Settings) -> Iterator[str]:  # noqa: PLR0915  a table
    """Tokens that differ from a good one in one respect."""
    tokens = AccessTokens.from_settings(settings)
    head, payload, signature = good.token.split(".")
    other_head, other_payload, other_signature = other.token.split(".")
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
    yield signed({"iat": now + timedelta(hours=1)})
    yield signed({"nbf": now + timedelta(hours=1)})
    yield from (signed({}, {**header, "typ": value}) for value in ("JWT", "at+JWT ", "refresh", ""))
    yield from (signed({}, {**header, "kid": value}) for value in ("", "x", "../key", tokens.current + "0"))
    yield signed({}, {"typ": "at+jwt"})
    secrets = (b"0" * 32, settings.secret_key.get_secret_value().encode(), head.encode() * 2)
    yield from (signed({}, secret=secret) for secret in secrets)
    yield from (signed({}, secret=derive_key(settings.secret_key.get_secret_value(), p)) for p in ("cursor", "", "jwt"))
    yield from (signed({}, secret=key * 2, algorithm=algorithm) for algorithm in ("HS384", "HS512"))
    yield signed({}, secret="", algorithm="none")
    swaps = ((head, payload, other_signature), (head, other_payload, signature), (other_head, other_payload, signature))
    yield from (".".join(parts) for parts in swaps)
    yield from (good.token + suffix for suffix in ("=", "==", ".", ".x", "x", "\0", "%00"))
    yield from (good.token[:-1], good.token[1:], good.token[:20], good.token.swapcase(), good.token[::-1])
    yield from (
        f"{head}..{signature}",
        f".{payload}.{signature}",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        "..",
        ".",
        "",
    )
    yield f'"{good.token}"'
    yield from (good.refresh_token, "x" * 10_000)


@pytest.mark.soak
async def test_forged_swapped_expired_and_truncated_tokens_are_401_everywhere(
    accounts: Accounts, settings: Settings
) -> None:
    """At least sixty of them, on every protected operation."""
    ada, bob = await accounts.create(), await accounts.create()
    forged = set(forgeries(ada, bob, settings))
    assert len(forged) >= 60
    for token in forged:
        for operation in PROTECTED:
            headers = [(b"Authorization", f"Bearer {token}".encode())]
            response = await ada.client.request(operation.method, operation.path(), headers=headers)
            assert problem(response) == (401, "unauthenticated"), token
    assert (await ada.request("GET", "/api/v1/users/me")).status_code == 200
