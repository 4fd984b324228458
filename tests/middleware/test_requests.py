"""Valid and invalid requests: hosts, encodings, paths, and slow bodies."""

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.core.exceptions import OverloadedError
from app.middleware.capacity import ReceivingMiddleware
from app.middleware.trusted_hosts import TrustedHostsMiddleware
from tests.factories import Accounts, problem

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
async def test_json_is_utf_8(accounts: Accounts, encoding: str) -> None:
    """As defined by RFC 8259, section 8.1."""
    ada = await accounts.create()
    content = '{"title": "milk"}'.encode(encoding)
    response = await ada.request("POST", "/api/v1/notes", content=content, headers=JSON)
    assert problem(response) == (400, "bad_request")


async def test_an_unknown_path_says_so(client: httpx2.AsyncClient) -> None:
    """Every caller gets the same error; `/health` is a known path."""
    response = await client.get("/nowhere")
    assert (problem(response), response.json()["detail"]) == ((404, "not_found"), "There is no such path.")
    assert (await client.get("/health")).json() == {"status": "ok"}


async def test_metrics_are_scraped_by_address(client: httpx2.AsyncClient) -> None:
    """Prometheus uses the IP address of a pod, which is not an allowed host."""
    response = await client.get("/metrics", headers={"Host": "10.1.2.3:8000"})
    assert response.status_code == 200


async def ask(app: Any, headers: list[tuple[bytes, bytes]], receive: Receive, client: str = "192.0.2.1") -> None:
    """Send a request without a server."""

    async def send(_: Message) -> None:
        return

    await app({"type": "http", "method": "POST", "headers": headers, "client": (client, 1)}, receive, send)


async def nothing(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Read the body and send no response."""
    await receive()


async def no_body() -> Message:
    """Receive an empty body."""
    return {"type": "http.request"}


async def test_a_second_host_header_is_refused() -> None:
    """Another server in front may use the other one."""
    hosts = TrustedHostsMiddleware(nothing, hosts=("api.example",))
    await ask(hosts, [(b"host", b"api.example")], no_body)
    with pytest.raises(Exception, match="host"):
        await ask(hosts, [(b"host", b"api.example"), (b"host", b"api.example")], no_body)


async def test_one_address_may_not_fill_the_room_for_bodies() -> None:
    """Other addresses, and requests without a body, are served meanwhile."""
    receiving = ReceivingMiddleware(nothing, maximum=16)
    slow = asyncio.Event()

    async def receive_slowly() -> Message:
        await slow.wait()
        return {"type": "http.request", "body": b"x"}

    length = [(b"content-length", b"1")]
    waiting = [asyncio.create_task(ask(receiving, length, receive_slowly)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await ask(receiving, length, receive_slowly)
    await ask(receiving, length, no_body, client="192.0.2.2")
    await ask(receiving, [], no_body)
    slow.set()
    await asyncio.gather(*waiting)
    assert (receiving.free, dict(receiving.receiving)) == (16, {})


async def test_an_address_that_is_none_is_not_stored(accounts: Accounts) -> None:
    """A proxy forwards what a client wrote."""
    ada = await accounts.create()
    ada.client._transport.client = ("garbage\x00", 1)  # type: ignore[attr-defined]  # noqa: SLF001
    again = await accounts.log_in(ada.email)
    sessions = (await again.request("GET", "/api/v1/auth/sessions")).json()["items"]
    assert {session["ip_address"] for session in sessions if session["is_current"]} == {None}
