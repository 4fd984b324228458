"""Limits on heads, bodies and nesting."""

import json
import time

import httpx2
import pytest

from app.middleware.size_limits import MAXIMUM_HEAD_BYTES, MAXIMUM_JSON_DEPTH, is_too_complex
from tests.factories import Accounts, problem


async def test_a_head_that_is_too_large_is_refused(client: httpx2.AsyncClient) -> None:
    """One large header, many small ones, or a long query."""
    many = {f"x-{number}": "x" * 100 for number in range(400)}
    for headers in ({"x-long": "x" * MAXIMUM_HEAD_BYTES}, many):
        assert problem(await client.get("/api/v1/notes", headers=headers)) == (431, "headers_too_large")
    response = await client.get("/api/v1/notes", params={"q": "x" * MAXIMUM_HEAD_BYTES})
    assert problem(response) == (431, "headers_too_large")
    assert (await client.get("/api/v1/notes", headers={"x-long": "x" * 30_000})).status_code == 401


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("[" * MAXIMUM_JSON_DEPTH + "]" * MAXIMUM_JSON_DEPTH, False),
        ("[" * (MAXIMUM_JSON_DEPTH + 1) + "]" * (MAXIMUM_JSON_DEPTH + 1), True),
        ('{"a":[' * 20 + "1" + "]}" * 20, True),
        ("[" + "[],{}," * 600 + "1]", False),
        ("[" + "[],{}," * 1000 + "1]", True),
        ("[" + "1," * 4000 + "1]", False),
        ("[" + "1," * 5000 + "1]", True),
        ('{"title": "' + ",[]" * 100_000 + '"}', False),
        (json.dumps({"title": "[" * 1000, "description": '\\"[{' * 1000}), False),
        ("[" * 33 + '"' + "]" * 33, True),
    ],
)
def test_depth_and_values_are_counted_outside_of_strings(document: str, expected: bool) -> None:
    """Siblings do not add to the depth, and strings are not counted."""
    assert is_too_complex(document.encode()) is expected


def cpu_seconds(document: bytes) -> float:
    """Return the least CPU time of five runs."""
    times = []
    for _ in range(5):
        started = time.process_time()
        is_too_complex(document)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("pattern", [b'\\"', b'"', b'"\\', b'\\\n"', b'"[', b"[]"])
def test_hostile_text_takes_no_more_time_than_other_text(pattern: bytes) -> None:
    """Scanning is linear: eight times the text takes about eight times as long, not 64 times."""
    head, size = b"[" * 33, 2**17
    short, long = (cpu_seconds(head + pattern * (length // len(pattern))) for length in (size, 8 * size))
    assert long < 24 * short


async def test_brackets_in_text_are_text(accounts: Accounts) -> None:
    """Any number of them is accepted."""
    ada = await accounts.create()
    note = await ada.create_note(description="[" * 10_000)
    assert note["description"] == "[" * 10_000


async def test_a_body_that_is_too_complex_is_refused(accounts: Accounts) -> None:
    """The error is that of invalid JSON."""
    ada = await accounts.create()
    deep = b'{"title":' * 33 + b"1" + b"}" * 33
    response = await ada.request("POST", "/api/v1/notes", content=deep, headers={"Content-Type": "application/json"})
    assert problem(response) == (422, "validation_failed")


async def test_a_form_of_too_many_fields_is_refused(client: httpx2.AsyncClient) -> None:
    """The same holds for a form with a file."""
    fields = {f"field{number}": "x" for number in range(21)}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    escaped = await client.post("/api/v1/auth/token", content=b"password=100%", headers=headers)
    assert problem(escaped) == (400, "bad_request")
    large = {"password": "x" * 70_000}
    assert problem(await client.post("/api/v1/auth/token", data=large)) == (413, "content_too_large")
    assert problem(await client.post("/api/v1/auth/token", data=fields)) == (422, "validation_failed")
    file = {"password": ("secret.txt", b"x")}
    assert problem(await client.post("/api/v1/auth/token", files=file)) == (422, "validation_failed")
