"""The memory of a worker after three hundred thousand requests."""

import asyncio
import time
from pathlib import Path

from drills.drill import Scene, drill
from drills.world import World

REQUESTS = 300_000
WARM_UP = 20_000
CONNECTIONS = 8
GROWTH = 1.05


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def send(port: int, requests: list[bytes], count: int) -> int:
    """Send requests over one connection, one after another; count the failures."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    failures = 0
    for number in range(count):
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        await reader.readexactly(length)
        failures += head[9:10] != b"2"
    writer.close()
    return failures


@drill("three hundred thousand requests", rate=0)
async def many_requests(world: World, scene: Scene) -> None:
    """Reads, writes and refused requests: the memory of the worker does not grow."""
    replica = world.service("marathon", WEB_CONCURRENCY="1", RECYCLE_AFTER_REQUESTS="0")
    await replica.started()
    common = f"Host: localhost\r\nAuthorization: {scene.load.headers['Authorization']}\r\n"
    body = '{"title": "marathon"}'
    create = f"POST /api/v1/notes HTTP/1.1\r\n{common}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    reads = [
        f"GET /api/v1/{path} HTTP/1.1\r\n{common}\r\n".encode() for path in ("notes?limit=5", "users/me", "health")
    ]
    requests = [*reads, *reads, *reads, f"{create}\r\n{body}".encode()]
    started = time.monotonic()

    async def send_all(count: int) -> int:
        shares = [send(replica.port, requests, count // CONNECTIONS) for _ in range(CONNECTIONS)]
        return sum(await asyncio.gather(*shares))

    try:
        failures = await send_all(WARM_UP)
        [pid] = replica.workers()
        before = resident_kib(pid)
        failures += await send_all(REQUESTS)
        after = resident_kib(pid)
    finally:
        replica.kill()
    seconds = time.monotonic() - started
    print(f"  {before / 1024:.1f} MiB before, {after / 1024:.1f} MiB after {REQUESTS} requests in {seconds:.0f} s")
    scene.expect(failures == 0, f"all are answered as asked, not all but {failures}")
    scene.expect(after < before * GROWTH, f"grows by less than 5 %, not from {before} to {after} KiB")
