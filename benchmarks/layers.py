"""Measure each layer between the socket and the handler; writes its table into docs/performance.md.

`python -m benchmarks.layers`. The stack is built around the router layer by layer, in this process, and a read runs
through each; what a layer takes is the difference to the one before, by CPU time, the best of many rounds. Caches are
warmer than in a server under load, so that the same layers take longer there: the rest is given as one row.
"""

import gc
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from uuid import UUID

# As under gunicorn, where metrics are in files; prometheus_client reads the variable when it is imported.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")

import uvloop
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message

from app.core.config import Settings
from benchmarks.report import write_section
from benchmarks.rig import Rig, running_rig
from benchmarks.wrk import wrk
from tests.notes.application import create_notes_application
from tests.notes.service import NoteService

ROUNDS, REQUESTS = 15, 200
STATEMENT = "the session and the statement, with its connection"
FASTAPI = "FastAPI: routing, dependencies, serialising"
Run = Callable[[], Awaitable[Any]]


def layers_of(app: FastAPI) -> dict[str, ASGIApp]:
    """Build the stack around the router one layer at a time, innermost first."""
    stack: ASGIApp = ExceptionMiddleware(AsyncExitStackMiddleware(app.router), handlers=app.exception_handlers)
    layers = {FASTAPI: stack}
    for kind, arguments, options in reversed(app.user_middleware):
        stack = kind(stack, *arguments, **options)
        layers[type(stack).__name__] = stack
    return {**layers, "FastAPI: outer middleware": app}


async def average(run: Run) -> float:
    """Return the microseconds of CPU of one run."""
    started = time.process_time()
    for _ in range(REQUESTS):
        await run()
    return (time.process_time() - started) / REQUESTS * 1e6


def request(layer: ASGIApp, app: FastAPI, path: str, token: str, state: Mapping[str, Any]) -> Run:
    """Return a GET request that can be repeated."""
    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "app": app,
    }

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:  # noqa: PLR2004
            raise RuntimeError(str(message))

    async def run() -> None:
        await layer({**scope, "state": {**state, "caller": "nobody", "request_id": "1"}}, receive, send)

    return run


async def measure(rig: Rig) -> dict[str, float]:
    """Return the microseconds of each layer, innermost first."""
    environment = {name.lower(): value for name, value in rig.servers["ours"].environment.items()}
    app = create_notes_application(Settings(_env_file=None, **environment))  # type: ignore[arg-type]  # strings
    async with app.router.lifespan_context(app) as lifespan_state:
        state = lifespan_state or {}
        owner = state["access_tokens"].verify(rig.token).user_id
        note_id = UUID(rig.notes[0].rpartition("/")[2])

        async def read_note() -> None:
            async with state["database"].read_only() as db:
                await NoteService(db, owner).get(note_id)

        runs: dict[str, Run] = {STATEMENT: read_note}
        for name, layer in layers_of(app).items():
            runs[name] = request(layer, app, rig.notes[0], rig.token, state)
        gc.collect()
        gc.freeze()  # as gunicorn.conf.py does
        taken = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            for name, run in runs.items():
                taken[name] = min(taken[name], await average(run))
    inner = [0.0, *taken.values()]
    return {name: all_of_it - inside for (name, all_of_it), inside in zip(taken.items(), inner, strict=False)}


def main() -> None:
    """Measure, print, and write the table."""
    with running_rig(rows=1000) as rig:
        served = min(wrk(rig.servers["ours"], rig.notes[0], rig.token, 3).cpu * 1000 for _ in range(3))
        # The access log of this process is written, but not shown.
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            layers = uvloop.run(measure(rig))
    layers["uvicorn and the system; colder caches"] = served - sum(layers.values())
    lines = ["| layer, innermost first | microseconds |", "|---|---|"]
    lines += [f"| {name} | {taken:.1f} |" for name, taken in layers.items()]
    lines.append(f"| total | {served:.0f} |")
    print("\n".join(lines))
    write_section("layers", lines)


if __name__ == "__main__":
    main()
