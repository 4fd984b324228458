"""Fuzz for time: hostile text may take at most three times the CPU of ordinary text of the same size.

For every operation that takes a body, and for the headers and query strings that the service reads. It runs in one
process, on a new database, prints the highest ratios, and exits with 1 if one exceeds the limit.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr

from app.core.config import Settings
from app.core.database_url import socket_url
from app.db.migrations import upgrade
from app.main import create_application
from devtools.postgres import running_postgres

BODY_BYTES, FORM_BYTES, HEAD_BYTES = 2**20 - 64, 2**15, 24_000
HIGHEST_RATIO = 3.0
RUNS = 3
SHOWN = 8
JSON_TEXTS: dict[str, bytes] = {
    "unclosed strings": b'\\"',
    "quotes": b'"',
    "escaped quotes in a string": b'\\\\\\"',
    "open brackets": b"[",
    "empty lists": b"[],",
    "empty objects": b"{},",
    "nested pairs": b"[[]],",
    "numbers": b"1,",
    "long numbers": b"123456789012345678,",
    "floats": b"1e1,",
    "unicode escapes": b"\\ud83d\\ude00",
    "spaces": b" ",
    "at signs": b"a@",
    "dots": b"a.",
    "combining marks": "e\u0301".encode(),
    "ligatures": "\ufb03".encode(),
}
FORM_TEXTS: dict[str, bytes] = {
    "ampersands": b"&",
    "pairs": b"a=b&",
    "percent signs": b"%",
    "escapes": b"%41",
    "pluses": b"+",
    "equals signs": b"=",
    "semicolons": b";",
}
CYRILLIC = b"%D0%BC%D0%BE%D0%BB%D0%BE%D0%BA%D0%BE+"
"""Ordinary text: most scripts are written with percent signs in forms and query strings."""
HEADERS = (
    "Authorization",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-ID",
    "Cookie",
    "Accept",
    "User-Agent",
)
HEADER_TEXTS = ('"1", ', 'W/"', '"', "a.", "Bearer ", ",", ";", "\\", "=", "1", "-", "é")


class Request(NamedTuple):
    """A request, and the text in it that is hostile."""

    method: str
    path: str
    what: str
    options: dict[str, Any]


def repeated(text: bytes, size: int, before: bytes = b"", after: bytes = b"") -> bytes:
    """Repeat a text up to a size."""
    return before + text * ((size - len(before) - len(after)) // len(text)) + after


def json_bodies() -> Iterator[tuple[str, bytes]]:
    """Yield every text alone, in a list, in a field, and as names of fields."""
    for name, text in JSON_TEXTS.items():
        yield name, repeated(text, BODY_BYTES, b"[" * 33)
        yield f"{name}, in a list", repeated(text, BODY_BYTES, b"[", b"0]")
        for field in ("email", "password", "title", "token"):
            yield f"{name}, in {field}", repeated(text, BODY_BYTES, b'{"%s": "' % field.encode(), b'"}')
    fields = ",".join(f'"{number}":0' for number in range(BODY_BYTES // 11))
    yield "unknown fields", f"{{{fields}}}".encode()
    yield "one field again and again", repeated(b'"title":"x",', BODY_BYTES, b"{", b'"title":"x"}')


def requests(app: FastAPI) -> Iterator[tuple[Request, Request]]:
    """Pair every hostile request with an ordinary one of the same size."""
    ordinary = repeated(
        b"\\u043c\\u043e\\u043b\\u043e\\u043a\\u043e ", BODY_BYTES, b'{"title": "Buy milk", "description": "', b'"}'
    )
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            filled = path.replace("{", "").replace("}", "")
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                headers = {"Content-Type": "application/json"}
                benign = Request(method, filled, "ordinary", {"content": ordinary, "headers": headers})
                for what, body in json_bodies():
                    yield Request(method, filled, what, {"content": body, "headers": headers}), benign
            elif content:
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                form = repeated(CYRILLIC, FORM_BYTES, b"password=")
                benign = Request(method, filled, "ordinary", {"content": form, "headers": headers})
                for what, pattern in FORM_TEXTS.items():
                    body = repeated(pattern, FORM_BYTES)
                    yield Request(method, filled, what, {"content": body, "headers": headers}), benign
    yield from heads()


def heads() -> Iterator[tuple[Request, Request]]:
    """Yield hostile headers and query strings."""
    path = "/api/v1/users"
    for header in HEADERS:
        benign = Request("GET", path, "ordinary", {"headers": {header: "x" * HEAD_BYTES}})
        for written in HEADER_TEXTS:
            value = repeated(written.encode("latin-1"), HEAD_BYTES)
            yield Request("GET", path, f"{header}: {written}", {"headers": {header: value}}), benign
    benign = Request("GET", f"{path}?{repeated(CYRILLIC, HEAD_BYTES, b'title=').decode()}", "ordinary", {})
    for what, text in FORM_TEXTS.items():
        for prefix in ("", "title=", "cursor=", "created_after="):
            query = repeated(text, HEAD_BYTES, prefix.encode()).decode()
            yield Request("GET", f"{path}?{query}", f"?{prefix}: {what}", {}), benign


@asynccontextmanager
async def running_application(folder: Path) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
    """Start the service in this process."""
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(socket_url(folder / "pg", "app")),
        rate_limit_enabled=False,
        worker_in_process=False,
        log_level="ERROR",
        event_loop_block_seconds=600,
    )
    await asyncio.to_thread(upgrade, settings)
    app = create_application(settings)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  as ASGI has it
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx2.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield app, client


async def cpu_seconds(client: httpx2.AsyncClient, request: Request) -> float:
    """Return the minimum CPU time of some runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        answer = await client.request(request.method, request.path, **request.options)
        times.append(time.process_time() - started)
        assert answer.status_code < httpx2.codes.INTERNAL_SERVER_ERROR, (request, answer.text)
    return min(times)


async def main() -> int:
    """Measure all requests."""
    ordinary: dict[str, float] = {}
    ratios = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        os.chmod(name, 0o711)  # noqa: PTH101, S103  as root PostgreSQL runs as another user
        with running_postgres(Path(name) / "pg", "fsync = off") as server:
            server.create_database("app")
            async with running_application(Path(name)) as (app, client):
                for hostile, benign in requests(app):
                    key = f"{benign.method} {benign.path} {sorted(benign.options.get('headers', ()))}"
                    if key not in ordinary:
                        ordinary[key] = await cpu_seconds(client, benign)
                    seconds = await cpu_seconds(client, hostile)
                    ratios.append((seconds / ordinary[key], f"{hostile.method} {hostile.path[:60]} {hostile.what}"))
    for ratio, what in sorted(ratios, reverse=True)[:SHOWN]:
        print(f"{ratio:5.1f}  {what}")
    print(f"{len(ratios)} hostile requests, of which none may take more than {HIGHEST_RATIO:g} x an ordinary one")
    return int(max(ratios)[0] > HIGHEST_RATIO)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
