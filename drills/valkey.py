"""Valkey dies, freezes, is emptied or is missing: limits continue, and nothing else is affected."""

import asyncio
import os
import signal
from collections import Counter

import httpx2

from drills.drill import Scene, drill
from drills.world import World

LIMIT = 30
TOO_MANY = 429


@drill("Valkey is killed", quick=True)
async def killed(world: World, scene: Scene) -> None:
    """Revocations hold: they are in PostgreSQL."""
    token = await world.account("leaving@example.com")
    await asyncio.sleep(0.5)
    os.kill(process_of(world), signal.SIGKILL)
    await asyncio.sleep(1)
    async with httpx2.AsyncClient(base_url=world.replicas[0].address) as client:
        headers = {"Authorization": f"Bearer {token}"}
        await client.post("/api/v1/auth/revoke", data={"token": token})
        answer = await client.get("/api/v1/notes", headers=headers)
        scene.expect(answer.status_code == httpx2.codes.UNAUTHORIZED, "who has logged out is out")
    await asyncio.sleep(1)
    await asyncio.to_thread(world.valkey.stop)
    await asyncio.to_thread(world.valkey.start)
    await asyncio.sleep(1)


@drill("Valkey freezes")
async def freezes(world: World, scene: Scene) -> None:
    """Some requests wait for REDIS_TIMEOUT_SECONDS."""
    await asyncio.sleep(0.5)
    os.kill(process_of(world), signal.SIGSTOP)
    await asyncio.sleep(4)
    os.kill(process_of(world), signal.SIGCONT)
    await asyncio.sleep(1)
    scene.expect(scene.load.p99() < 1, "hardly anyone waits")


@drill("Valkey is emptied")
async def emptied(world: World, scene: Scene) -> None:
    """Counters and scripts are gone; counting starts again."""
    for command in ("FLUSHALL", "SCRIPT FLUSH") * 3:
        await asyncio.sleep(0.3)
        scene.expect(await send_command(world, command), "Valkey accepts the command")
    await asyncio.sleep(0.5)


@drill("Valkey is unavailable at startup", rate=0)
async def unavailable_at_startup(world: World, scene: Scene) -> None:
    """The process starts and serves."""
    replica = world.service("lonely", REDIS_URL="redis://127.0.0.1:1")
    try:
        await replica.started()
        async with httpx2.AsyncClient(base_url=replica.address) as client:
            answers = [await client.get("/api/v1/notes", headers=scene.load.headers) for _ in range(10)]
        scene.expect({answer.status_code for answer in answers} == {200}, "all requests are served")
    finally:
        replica.kill()


@drill("two replicas share one limit", rate=0, quick=True)
async def shared_limit(world: World, scene: Scene) -> None:
    """As many requests pass as through one replica; a forged X-Forwarded-For changes nothing."""
    replicas = [world.service(name, RATE_LIMIT_PER_MINUTE=str(LIMIT), FORWARDED_ALLOW_IPS="192.0.2.1") for name in "cd"]
    try:
        await asyncio.gather(*(replica.started() for replica in replicas))
        await send_command(world, "FLUSHALL")  # hits of this address from previous drills
        statuses: Counter[int] = Counter()
        async with httpx2.AsyncClient() as client:
            for number in range(4 * LIMIT):
                forged = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
                answer = await client.get(f"{replicas[number % 2].address}/api/v1/notes", headers=forged)
                statuses[answer.status_code] += 1
        allowed = statuses[httpx2.codes.UNAUTHORIZED]
        scene.expect(LIMIT <= allowed <= LIMIT + 3, f"{LIMIT} requests pass, not {allowed}")
        scene.expect(statuses[TOO_MANY] == 4 * LIMIT - allowed, "all others are refused")
    finally:
        for replica in replicas:
            replica.kill()


async def send_command(world: World, command: str) -> bool:
    """Send a command; return whether it succeeded."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.valkey.port)
    writer.write(f"{command}\r\n".encode())
    answer = await reader.readline()
    writer.close()
    return answer == b"+OK\r\n"


def process_of(world: World) -> int:
    """Return the id of the server's process."""
    process = world.valkey._process  # noqa: SLF001  the package has no public name for it
    assert process
    return int(process.pid)
