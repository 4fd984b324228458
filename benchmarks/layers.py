"""What each layer between the socket and the handler takes; writes its table into docs/performance.md.

`python -m benchmarks.layers`. The stack is built around the router layer by layer, in this process, and a read runs
through each; what a layer takes is the difference to the one before, by CPU time, the best of many rounds. Caches are
warmer than in a server under load, so that the same layers take longer there: the rest is given as one row.
"""

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

# As under gunicorn, where counts live in files; looked at when prometheus_client is imported.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")

import uvloop
from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message

from app.core.config import Settings
from app.main import create_application
from app.models.item import ITEM
from benchmarks.report import write_section
from benchmarks.rig import Rig, running_rig, wrk

ROUNDS, REQUESTS = 15, 200
FASTAPI = "FastAPI: routing, dependencies, serialising"
Layers = dict[str, ASGIApp]


def layers_of(app: FastAPI) -> Layers:
    """Build the stack around the router one layer at a time, innermost first."""
    stack: ASGIApp = ExceptionMiddleware(AsyncExitStackMiddleware(app.router), handlers=app.exception_handlers)
    layers: Layers = {FASTAPI: stack}
    for middleware in reversed(app.user_middleware):
        stack = middleware.cls(stack, *middleware.args, **middleware.kwargs)
        layers[middleware.cls.__name__] = stack
    return {**layers, "FastAPI: outer middleware": app}


async def best(run: Callable[[], Awaitable[Any]]) -> float:
    """Give the microseconds of CPU of one run."""
    started = time.process_time()
    for _ in range(REQUESTS):
        await run()
    return (time.process_time() - started) / REQUESTS * 1e6


def request(
    app: FastAPI, layer: ASGIApp, path: str, token: str, state: dict[str, Any]
) -> Callable[[], Awaitable[None]]:
    """Make a GET that can be run again and again."""
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
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
    """Give the microseconds of each layer, innermost first."""
    environment = rig.servers["ours"].environment
    settings = Settings(_env_file=None, **{name.lower(): value for name, value in environment.items()})
    app = create_application(settings)
    async with app.router.lifespan_context(app) as state:
        claims = state["access_tokens"].verify(rig.token)
        parameters = {"owner": claims.user_id, "item_id": rig.items[0].rpartition("/")[2]}
        reader = state["database"].reader()
        runs = {"the statement, with its connection": lambda: reader.fetch(ITEM, parameters)}
        for name, layer in layers_of(app).items():
            runs[name] = request(app, layer, rig.items[0], rig.token, state)
        taken = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            for name, run in runs.items():
                taken[name] = min(taken[name], await best(run))
    sums = [0.0, *taken.values()]
    return {name: max(0.0, taken - before) for (name, taken), before in zip(taken.items(), sums, strict=False)}


def main() -> None:
    """Measure, print, and write the table."""
    with running_rig(rows=1000) as rig:
        served = min(wrk(rig.servers["ours"], rig.items[0], rig.token, 3).cpu * 1000 for _ in range(3))
        # The access lines of the application in this process go nowhere, but they are written.
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            layers = uvloop.run(measure(rig))
    layers["uvicorn and the system; colder caches"] = served - sum(layers.values())
    lines = ["| layer, innermost first | microseconds |", "|---|---|"]
    lines += [f"| {name} | {taken:.1f} |" for name, taken in layers.items()]
    lines.append(f"| a read, all in all | {served:.0f} |")
    print("\n".join(lines))
    write_section("layers", lines)


if __name__ == "__main__":
    main()
