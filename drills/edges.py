"""Clients that are too many, too slow, or too large, or that disconnect."""

import asyncio
import socket
import struct
import time
from collections import Counter

import httpx2

from drills.drill import Scene, drill
from drills.processes import Service
from drills.world import World

UNAVAILABLE, TIMED_OUT, TOO_LARGE = 503, 408, 431
CROWD = 300
ROOM = 20
CLIENTS = 8
CUT_OFF_SECONDS = 2.5
"""RECEIVE_TIMEOUT_SECONDS of the drills, plus a margin."""
RESET = struct.pack("ii", 1, 0)


@drill("overload", rate=0, quick=True)
async def overload(world: World, scene: Scene) -> None:
    """The excess gets 503 immediately, and probes pass."""
    replica = world.service("small", MAX_CONCURRENT_REQUESTS=str(ROOM), WEB_CONCURRENCY="1")
    await replica.started()
    limits = httpx2.Limits(max_connections=None)
    try:
        async with httpx2.AsyncClient(base_url=replica.address, limits=limits, timeout=10) as client:

            async def ask() -> tuple[int, str | None]:
                answer = await client.get("/api/v1/notes?limit=100", headers=scene.load.headers)
                return answer.status_code, answer.headers.get("retry-after")

            asking = [asyncio.create_task(ask()) for _ in range(CROWD)]
            probes = [await client.get(path) for path in ("/health/live", "/health/ready") * 3]
            answers = Counter(await asyncio.gather(*asking))
        scene.expect({probe.status_code for probe in probes} == {200}, "probes pass")
        scene.expect(
            set(answers) == {(200, None), (UNAVAILABLE, "1")}, f"served or refused with Retry-After, not {answers}"
        )
        scene.expect(answers[200, None] >= ROOM, "as many are served as there is room for")
        scene.expect((await probe_of(replica)) == httpx2.codes.OK, "afterwards all is well")
    finally:
        replica.kill()


async def probe_of(replica: Service) -> int:
    """Send one probe."""
    async with httpx2.AsyncClient(base_url=replica.address) as client:
        return (await client.get("/health/ready")).status_code


async def status_when_closed(
    world: World, sent: bytes, *, trickle: bytes = b"", client: str = "127.0.0.1"
) -> tuple[int, float]:
    """Send a beginning, then single bytes; return the status of the response, and the seconds until it arrives."""
    started = time.monotonic()
    port = world.replicas[0].port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(client, 0))
    writer.write(sent)
    answer = asyncio.create_task(reader.read())
    while not answer.done() and time.monotonic() - started < 2 * CUT_OFF_SECONDS:
        writer.write(trickle)
        await asyncio.wait({answer}, timeout=0.2)
    writer.transport.abort()
    head = answer.result() if answer.done() and not answer.exception() else b""
    return int(head[9:12] or 0), time.monotonic() - started


async def all_cut_off(world: World, scene: Scene, sent: bytes, trickle: bytes, status: int) -> None:
    """Do that a hundred times concurrently."""
    # From several addresses, because one may not send so many bodies.
    clients = [f"127.0.0.{2 + number % CLIENTS}" for number in range(100)]
    ends = await asyncio.gather(*(status_when_closed(world, sent, trickle=trickle, client=own) for own in clients))
    statuses, slowest = {end[0] for end in ends}, max(end[1] for end in ends)
    # Closing resets a connection on which the client still sends, and the reset may overtake the response.
    scene.expect(status in statuses <= {status, 0}, f"answered {status}, not {statuses}")
    scene.expect(slowest < CUT_OFF_SECONDS, f"cut off in time, not after {slowest:.1f} s")


@drill("a hundred slow heads", quick=True)
async def slow_heads(world: World, scene: Scene) -> None:
    """They are closed at the receive timeout; other requests are not affected."""
    await all_cut_off(world, scene, b"GET / HTTP/1.1\r\nX-Slow: ", b"x", TIMED_OUT)


@drill("a hundred slow bodies", quick=True)
async def slow_bodies(world: World, scene: Scene) -> None:
    """They are closed at the receive timeout; other requests are not affected."""
    head = b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await all_cut_off(world, scene, head + b"Content-Length: 5000\r\n\r\n{", b" ", TIMED_OUT)


@drill("heads of a megabyte")
async def large_heads(world: World, scene: Scene) -> None:
    """They are refused before they are read."""
    huge = b"GET / HTTP/1.1\r\nX-Huge: " + b"x" * 2**20
    ends = await asyncio.gather(*(status_when_closed(world, huge) for _ in range(50)))
    scene.expect({end[0] for end in ends} <= {TOO_LARGE, 0}, f"refused, not {ends}")
    scene.expect(max(end[1] for end in ends) < CUT_OFF_SECONDS, "immediately")


@drill("clients disconnect", quick=True)
async def clients_vanish(world: World, scene: Scene) -> None:
    """Hundreds of clients disconnect during requests; their database connections are reused."""
    token = scene.load.headers["Authorization"]
    request = f"GET /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n".encode()
    for _ in range(20):
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", world.replicas[0].port))
            connection.sendall(request)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
