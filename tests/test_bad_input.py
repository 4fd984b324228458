"""No client input causes a 5xx, an undocumented status or the echo of a secret, in any operation."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest

from app.api.access import Access
from tests.conftest import BASE_URL
from tests.factories import Account, Accounts, problem
from tests.operations import Operation, operations

CANARY = "canary-7c1f"
LONGEST_PATH = 60_000
JSON = "application/json"
HOSTILE_VALUES = (
    "\x00",
    "nul \x00 inside",
    "x" * 60_000,
    "'; DROP TABLE users; --",
    "../../etc/passwd",
    "%s%n{}",
    "\u202e\ufeff\U0001f600",
    "-1",
    "0",
    "101",
    "9" * 5000,
    "1e400",
    "NaN",
    "null",
    "[]",
    "",
)
HOSTILE_JSON_VALUES = (
    "NaN",
    "-Infinity",
    "1e400",
    "9" * 5000,
    r'"\ud800"',
    r'"\u0000"',
    '"' + "x" * 100_000 + '"',
    "null",
    "true",
    "[]",
    "{}",
    "9223372036854775808",
)
HOSTILE_BODIES = (
    (JSON, b""),
    (JSON, b"null"),
    (JSON, b"[]"),
    (JSON, b'"text"'),
    (JSON, b"{"),
    (JSON, b"NaN"),
    (JSON, b"\xff\xfe\xfa"),
    (JSON, b'{"title": "\xff"}'),
    (JSON, b"[" * 100_000 + b"]" * 100_000),
    (JSON, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    (JSON, b'{"title": "a", "title": "b", "email": 1, "email": 2}'),
    (JSON, json.dumps({"unknown": CANARY, "password": CANARY}).encode()),
    ("application/x-www-form-urlencoded", b"a=%00&b=%ff&grant_type=%00&password=" + CANARY.encode()),
    ("application/x-www-form-urlencoded", b"&".join(b"k%d=v" % number for number in range(2000))),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--"),
    ("text/plain", b"{}"),
    ("", b"{}"),
    ("application/json; charset=utf-16", b"{}"),
    ("\xff", b"{}"),
)
HOSTILE_HEADERS = (
    {"X-Request-ID": "x" * 5000},
    {"X-Request-ID": "id\r with\x00 controls"},
    {"X-Request-ID": "{{7*7}}"},
    {"X-Forwarded-For": "1.2.3.4, \x00", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example"},
    {"Content-Length": "-1"},
    {"Content-Length": "9" * 30},
    {"Content-Length": "\u00b2"},
    {"Authorization": "Bearer " + "x" * 1_000_000},
    {"Authorization": "Bearer \xff\xfe"},
    {"Accept": "\x00", "Accept-Language": "\xff"},
    {"Cookie": "=;" * 1000},
)
every_operation = pytest.mark.parametrize("operation", operations(), ids=str)


def check(operation: Operation, response: httpx2.Response, *also: int) -> None:
    """Check the guarantee of this module for one response."""
    assert response.status_code in operation.statuses | set(also), (response.status_code, response.text[:500])
    assert response.status_code < 500
    assert CANARY not in response.text
    if response.status_code >= 400:
        problem(response)
        assert len(response.content) < 100_000


@every_operation
async def test_hostile_bodies(operation: Operation, accounts: Accounts) -> None:
    """Bodies of a wrong form, type, encoding or depth."""
    root = await accounts.create(admin=True, verified=True)
    for media_type, body in HOSTILE_BODIES:
        headers = {"Content-Type": media_type.encode("latin-1")} if media_type else {}
        response = await root.request(operation.method, operation.path(), content=body, headers=headers)
        check(operation, response)


@pytest.mark.parametrize("operation", [o for o in operations() if o.body_type == JSON], ids=str)
async def test_hostile_values_in_every_field(operation: Operation, accounts: Accounts) -> None:
    """Values at and beyond each bound, in one field at a time."""
    root = await accounts.create(admin=True, verified=True)
    for name in (*operation.properties, "unknown"):
        for value in HOSTILE_JSON_VALUES:
            body = f'{{"{name}": {value}, "unknown_secret": "{CANARY}"}}'.encode()
            headers = {"Content-Type": JSON, "Origin": BASE_URL}
            response = await root.request(operation.method, operation.path(), content=body, headers=headers)
            check(operation, response)
            assert response.status_code in (404, 422)


@every_operation
async def test_hostile_query_and_path(operation: Operation, accounts: Accounts) -> None:
    """In each declared parameter, in an unknown one, and in the path."""
    root = await accounts.create(admin=True, verified=True)
    for value in HOSTILE_VALUES:
        for name in (*operation.query_parameters, "unknown"):
            query = f"{quote(name)}={quote(value)}&lone=%ed%a0%80"
            check(operation, await root.request(operation.method, f"{operation.path()}?{query}"))
        parts = len(operation.path_parameters)
        path = operation.path(*[quote(value, safe="")[: LONGEST_PATH // (parts or 1)]] * parts)
        # Another path may be no resource, or one that lacks this method.
        check(operation, await root.request(operation.method, path), 404, 405)


@every_operation
async def test_hostile_headers(operation: Operation, accounts: Accounts) -> None:
    """Forged, oversized and unprintable headers."""
    root = await accounts.create(admin=True, verified=True)
    for headers in HOSTILE_HEADERS:
        raw = {name: value.encode("utf-8" if "\u00b2" in value else "latin-1") for name, value in headers.items()}
        check(operation, await root.request(operation.method, operation.path(), headers=raw))


@every_operation
async def test_a_forged_host_is_refused(operation: Operation, client: httpx2.AsyncClient) -> None:
    """Except for probes, which use the IP address."""
    for host in ("evil.example", "localhost.evil.example", "", "localhost:80:80", "[::1"):
        response = await client.request(operation.method, operation.path(), headers={"Host": host})
        if operation.template.startswith("/health/"):
            check(operation, response)
        else:
            assert problem(response) == (400, "invalid_host")


@every_operation
async def test_unknown_methods_are_405_with_all_that_are_allowed(
    operation: Operation, client: httpx2.AsyncClient
) -> None:
    """The Allow header lists every operation of the path."""
    for method in ("PUT", "TRACE", "BREW", "QUERY"):
        if any(o.method == method and o.template == operation.template for o in operations()):
            continue
        response = await client.request(method, operation.path())
        assert problem(response) == (405, "method_not_allowed")
        assert operation.method in response.headers["allow"].split(", ")


@pytest.mark.parametrize("operation", [o for o in operations() if o.body_type], ids=str)
@pytest.mark.parametrize("is_announced", [True, False], ids=["announced", "chunked"])
async def test_a_body_one_byte_too_long_is_413(operation: Operation, accounts: Accounts, is_announced: bool) -> None:
    """With and without Content-Length."""
    root = await accounts.create(admin=True, verified=True)
    body = b"{" + b" " * 1_048_576

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    response = await root.request(
        operation.method,
        operation.path(),
        content=body if is_announced else chunks(),
        headers={"Content-Type": operation.body_type or JSON},
    )
    assert problem(response) == (413, "content_too_large")


@pytest.mark.parametrize(
    "operation", [o for o in operations() if o.access not in (Access.PUBLIC, Access.OPTIONAL_USER)], ids=str
)
async def test_no_operation_that_needs_a_caller_answers_without_one(operation: Operation, accounts: Accounts) -> None:
    """An invalid token is refused, too."""
    ada: Account = await accounts.create()
    head, payload, signature = ada.token.split(".")
    forged = (None, "x", ada.token[:-2], ada.token + "=", f"{head}.{payload}.", f"{head}.{payload}.{signature[::-1]}")
    for token in forged:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await ada.client.request(operation.method, operation.path(), headers=headers)
        assert problem(response) == (401, "unauthenticated")
