"""Large numbers: sessions that end in one statement, slow bodies of one client, a full /tmp."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx2
from pydantic import SecretStr

from app.core.config import Settings
from app.core.security import AccessClaims, AccessTokens
from drills.drill import Scene, drill
from drills.world import World

SESSIONS, CACHED = 50_000, 10_000
PROBE_SECONDS = 0.1
UNAUTHORIZED = 401
SLOW_BODIES = 1000
INSERT = """
WITH owner AS (
    INSERT INTO users (id, email, hashed_password)
    VALUES (gen_random_uuid(), 'crowd-' || gen_random_uuid() || '@example.com', 'x') RETURNING id
) INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), owner.id, now(), now(), now() + interval '1 day' FROM owner, generate_series(1, {count})
RETURNING user_id, id
"""
ENDINGS = {
    "deleted": "DELETE FROM sessions WHERE user_id = '{owner}'",
    "expired": "UPDATE sessions SET expires_at = now() WHERE user_id = '{owner}'",
}


def tokens_for(world: World, sessions: list[tuple[UUID, UUID]]) -> list[str]:
    """Sign access tokens as the service does."""
    key = SecretStr(world.environment["SECRET_KEY"])
    settings = Settings(_env_file=None, secret_key=key, public_url=world.environment["PUBLIC_URL"])
    tokens = AccessTokens.from_settings(settings)
    return [tokens.issue(AccessClaims(user_id, session_id)) for user_id, session_id in sessions]


async def probe(address: str, stopped: asyncio.Event) -> float:
    """Probe liveness repeatedly; return the longest wait."""
    longest = 0.0
    async with httpx2.AsyncClient(base_url=address) as client:
        while not stopped.is_set():
            started = time.monotonic()
            await client.get("/health/live")
            longest = max(longest, time.monotonic() - started)
            await asyncio.sleep(0.01)
    return longest


async def ask_with(client: httpx2.AsyncClient, tokens: list[str]) -> set[int]:
    """Send a request with each token, some concurrently; return the statuses."""
    room = asyncio.Semaphore(20)

    async def ask(token: str) -> int:
        async with room:
            return (await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})).status_code

    return set(await asyncio.gather(*(ask(token) for token in tokens)))


@drill("fifty thousand sessions end in one statement", rate=0)
async def sessions_end(world: World, scene: Scene) -> None:
    """Deleted, or expired row by row, 10,000 of them cached: probes succeed, and all are refused within a second."""
    replica = world.service("crowded", WEB_CONCURRENCY="1")
    await replica.started()
    try:
        for how, statement in ENDINGS.items():
            connection = await world.connect()
            rows = await connection.fetch(INSERT.format(count=SESSIONS))
            tokens = tokens_for(world, [(row["user_id"], row["id"]) for row in rows[:CACHED]])
            async with httpx2.AsyncClient(base_url=replica.address, timeout=30) as client:
                scene.expect(await ask_with(client, tokens) == {200}, "all are live")
                stopped = asyncio.Event()
                probing = asyncio.create_task(probe(replica.address, stopped))
                await connection.execute(statement.format(owner=rows[0]["user_id"]))
                await asyncio.sleep(1)
                scene.expect(await ask_with(client, tokens[::50]) == {UNAUTHORIZED}, f"{how}: refused within a second")
                stopped.set()
                longest = await probing
            scene.expect(longest < PROBE_SECONDS, f"{how}: probes within {PROBE_SECONDS} s, not {longest:.2f} s")
            await connection.close()
    finally:
        replica.kill()


@drill("a thousand slow bodies from one address", rate=0, quick=True)
async def slow_bodies(world: World, scene: Scene) -> None:
    """Another client that sends bodies is served."""
    replica = world.replicas[0]
    head = b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writers = []
    for _ in range(SLOW_BODIES):
        _, writer = await asyncio.open_connection("127.0.0.1", replica.port)
        writer.write(head + b"Content-Length: 99\r\n\r\n{")
        writers.append(writer)
    transport = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx2.AsyncClient(transport=transport, base_url=replica.address, headers=scene.load.headers) as client:
        for number in range(20):
            answer = await client.post("/api/v1/notes", json={"title": f"{scene.load.name} {number}"})
            scene.expect(answer.status_code == httpx2.codes.CREATED, f"another is served, not {answer.status_code}")
    for writer in writers:
        writer.transport.abort()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a small file system; yield None if that is not allowed."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=1777", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode:
        print("  left out: only root may mount a small file system")
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607  of the system


def fill(folder: Path) -> None:
    """Write until no byte is left."""
    with suppress(OSError), (folder / "full").open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


@drill("the temporary folder is full", rate=0)
async def full_disk(world: World, scene: Scene) -> None:
    """Workers are replaced and continue to count; another process starts, in the temporary folder that Python finds."""
    with small_disk(world.folder / "tmp") as disk:
        if disk is None:
            return
        replica = world.service("full", TMPDIR=str(disk))
        late = world.service("late", TMPDIR=str(disk))
        try:
            await replica.started()
            fill(disk)
            for pid in replica.workers():
                os.kill(pid, signal.SIGKILL)
            await replica.wait_for("/health/ready")
            await late.started()
            for service in (replica, late):
                async with httpx2.AsyncClient(base_url=service.address, headers=scene.load.headers) as client:
                    paths = ("notes", "users/me", "auth/sessions", "health", "nowhere") * 10
                    statuses = {(await client.get(f"/api/v1/{path}")).status_code for path in paths}
                    scene.expect(statuses == {200, 404}, f"served, not {statuses}")
                    scene.expect("metrics_complete 1.0" in (await client.get("/metrics")).text, "metrics are whole")
        finally:
            replica.kill()
            late.kill()
