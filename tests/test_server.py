"""The production server, as a process: slow heads, the drain, a killed worker."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config

from app.core.config import Settings
from app.server import DrainingServer
from devtools.loopback import free_port
from tests.processes import environment_of, serving

PATIENCE_SECONDS = 20
Running = tuple[int, "subprocess.Popen[bytes]"]


@contextmanager
def running(settings: Settings, folder: Path, **changes: str) -> Iterator[Running]:
    """Run `python -m app serve`; yield its port and its process."""
    port = free_port()
    environment = environment_of(settings, port, **changes)
    command = [sys.executable, "-m", "app", "serve"]
    with serving(command, port=port, cwd=folder, environment=environment) as process:
        yield port, process


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    """Return the workers of a server."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    connection.settimeout(PATIENCE_SECONDS)
    received = b""
    with connection, suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


async def respond(scope: Scope, _receive: Receive, send: Send) -> None:
    """Respond with 204."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_a_worker_leaves_the_next_connection_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one worker may get every connection of a burst. Here the test is the other worker."""
    monkeypatch.setattr("app.server.ACCEPT_PAUSE_SECONDS", 60)
    config = Config(respond, lifespan="off")
    config.load()
    server = DrainingServer(config, 0, has_siblings=True)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        first, _ = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(2)]
        first.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await server.startup([listener])
        first.setblocking(False)
        assert (await asyncio.get_running_loop().sock_recv(first, 65_536)).startswith(b"HTTP/1.1 204 ")
        stack.enter_context(listener.accept()[0])
        await server.shutdown([listener])


def test_heads_that_do_not_end_are_cut_off(settings: Settings, tmp_path: Path) -> None:
    """Slow, missing and endless ones, also on a connection that was used before."""
    with running(settings, tmp_path, RECEIVE_TIMEOUT_SECONDS="0.3") as (port, _):
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        slow[1].sendall(b"GET /health/live HTTP/1.1\r\nHost: loc")
        slow[2].sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n")
        endless = socket.create_connection(("127.0.0.1", port))
        endless.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 40_000)
        assert read_all(slow[0]).startswith(b"HTTP/1.1 408 ")
        assert read_all(slow[1]).startswith(b"HTTP/1.1 408 ")
        first, second = read_all(slow[2]).split(b"HTTP/1.1 ")[1:]
        assert (first[:3], second[:3]) == (b"200", b"408")
        assert read_all(endless).startswith(b"HTTP/1.1 431 ")
        assert httpx2.get(f"http://127.0.0.1:{port}/health/live").status_code == 200


def test_a_process_drains_after_sigterm(settings: Settings, tmp_path: Path) -> None:
    """It is not ready, closes each connection after its response, finishes requests in progress, and exits in time."""
    with running(settings, tmp_path, SHUTDOWN_DRAIN_SECONDS="2", SHUTDOWN_TIMEOUT_SECONDS="10") as (port, process):
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.get("/health/ready").status_code == 200
            process.send_signal(signal.SIGTERM)
            while (ready := client.get("/health/ready")).status_code == 200:
                time.sleep(0.02)
            live = client.get("/health/live")
        assert ready.json() == {"status": "unavailable", "checks": {"database": "ok", "process": "unavailable"}}
        assert (live.status_code, live.headers["connection"]) == (200, "close")
        process.wait(PATIENCE_SECONDS)
        assert process.returncode == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_only_what_the_trusted_proxy_says_is_believed(settings: Settings, tmp_path: Path) -> None:
    """The client is the rightmost address that is not a proxy; a client can only add addresses left of it."""
    deployed = {"ENVIRONMENT": "staging", "SECRET_KEY": settings.secret_key.get_secret_value()}
    with running(settings, tmp_path, FORWARDED_ALLOW_IPS="127.0.0.1,10.0.0.0/8", **deployed) as (port, _):
        chain = {"X-Forwarded-For": "203.0.113.66, 192.0.2.7, 10.1.2.3"}
        assert httpx2.get(f"http://127.0.0.1:{port}/nowhere", headers=chain).status_code == 404
    with running(settings, tmp_path, FORWARDED_ALLOW_IPS="10.0.0.1", **deployed) as (port, _):
        assert httpx2.get(f"http://127.0.0.1:{port}/elsewhere", headers=chain).status_code == 404
    lines = [json.loads(line) for line in (tmp_path / "output").read_text().splitlines() if line.startswith("{")]
    clients = {line["path"]: line["client"] for line in lines if line["event"] == "request"}
    assert (clients["/nowhere"], clients["/elsewhere"]) == ("192.0.2.7", "127.0.0.1")


def test_a_request_in_flight_is_answered(settings: Settings, tmp_path: Path) -> None:
    """Even if its body arrives after the listener was closed."""
    with running(settings, tmp_path) as (port, process), socket.create_connection(("127.0.0.1", port)) as connection:
        body = b"grant_type=refresh_token&refresh_token=x"
        head = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(body)
        connection.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body[:10])
        process.send_signal(signal.SIGTERM)
        sent = threading.Timer(0.5, connection.sendall, [body[10:]])
        sent.start()
        answer = read_all(connection)
        sent.join()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"invalid_grant" in answer


def test_a_worker_that_is_killed_is_replaced(settings: Settings, tmp_path: Path) -> None:
    """Another worker serves meanwhile."""
    with running(settings, tmp_path, WEB_CONCURRENCY="2") as (port, process):
        before = children(process)
        os.kill(before[0], signal.SIGKILL)
        while len(after := children(process)) != 2 or before[0] in after:
            time.sleep(0.02)
        assert before[1] in after
        assert httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200


async def test_trailers_are_no_headers_and_have_an_end(settings: Settings, tmp_path: Path) -> None:
    """They come after the head was checked."""
    head = b"POST /api/v1/auth/revoke HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with running(settings, tmp_path) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        trailer = b"Content-Type: application/x-www-form-urlencoded\r\nX-Request-ID: trailer\r\n"
        writer.write(head + b"7\r\ntoken=x\r\n0\r\n" + trailer + b"\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 422")
        assert b"trailer" not in answer
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"7\r\ntoken=x\r\n0\r\nX-Long: ")
        with suppress(ConnectionError):
            for _ in range(300):
                writer.write(b"x" * 65_536)
                await writer.drain()
        with suppress(ConnectionError):
            assert b"431" in await reader.read()
        assert writer.transport.is_closing() or reader.at_eof()
        writer.close()
