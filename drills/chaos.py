"""Chaos: thousands of writes that are retried until they succeed, while workers and the database are killed."""

import asyncio
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field

import httpx2

from drills.drill import Scene, drill
from drills.world import World

WRITERS = 40
WRITES = 60
PATIENCE = 60
INTERNAL_ERROR = 500
RESTART_SECONDS = (1.0, 3.0)


@dataclass
class Journal:
    """The acknowledged writes: the id of each title, and whether its change was acknowledged."""

    created: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)


async def persist(
    client: httpx2.AsyncClient, journal: Journal, method: str, path: str, **options: object
) -> httpx2.Response:
    """Send a request until it succeeds, with the same idempotency key."""
    for _ in range(PATIENCE):
        try:
            answer = await client.request(method, path, **options)  # type: ignore[arg-type]
        except httpx2.HTTPError:
            journal.statuses[0] += 1
        else:
            journal.statuses[answer.status_code] += 1
            if answer.is_success:
                return answer
        await asyncio.sleep(random.uniform(0.05, 0.4))  # noqa: S311  no secret
    raise TimeoutError(f"{method} {path} never succeeded")


async def write(world: World, name: str, journal: Journal, number: int) -> None:
    """Create notes and change each, at either replica."""
    headers = {"Authorization": f"Bearer {world.token}"}
    address = world.replicas[number % len(world.replicas)].address
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=8) as client:
        for count in range(WRITES):
            title = f"{name} {number} {count}"
            key = {"Idempotency-Key": f"{number}-{count}-{abs(hash(name))}"}
            created = await persist(client, journal, "POST", "/api/v1/notes", json={"title": title}, headers=key)
            journal.created[title] = created.json()["id"]
            path = f"/api/v1/notes/{journal.created[title]}"
            await persist(client, journal, "PATCH", path, json={"description": title})
            journal.changed.add(title)


async def break_things(world: World) -> None:
    """Kill workers and restart PostgreSQL at random, until cancelled."""
    while True:
        await asyncio.sleep(random.uniform(*RESTART_SECONDS))  # noqa: S311
        if random.random() < 0.5:  # noqa: S311, PLR2004
            await asyncio.to_thread(world.primary.stop, random.choice(["fast", "immediate"]))  # noqa: S311
            await asyncio.to_thread(world.primary.start)
        else:
            workers = random.choice(world.replicas).workers()  # noqa: S311
            if workers:
                os.kill(random.choice(workers), signal.SIGKILL)  # noqa: S311


@drill("chaos", rate=0)
async def chaos(world: World, scene: Scene) -> None:
    """No acknowledged write is lost or done twice, and there is no 500."""
    journal, name = Journal(), scene.load.name
    breaking = asyncio.create_task(break_things(world))
    try:
        await asyncio.gather(*(write(world, name, journal, number) for number in range(WRITERS)))
    finally:
        breaking.cancel()
        await asyncio.gather(breaking, return_exceptions=True)
        if not world.primary.is_running():
            await asyncio.to_thread(world.primary.start)
    await world.settle()
    connection = await world.connect()
    rows = await connection.fetch("SELECT id, title, description FROM notes WHERE starts_with(title, $1)", name)
    await connection.close()
    kept = {row["title"]: row for row in rows}
    lost = [title for title, key in journal.created.items() if title not in kept or str(kept[title]["id"]) != key]
    unchanged = [title for title in journal.changed if kept[title]["description"] != title]
    print(f"  {len(journal.created)} creations and as many changes; answers: {dict(journal.statuses)}")
    scene.expect(len(journal.created) == WRITERS * WRITES, "every write succeeds in the end")
    scene.expect(not lost and not unchanged, f"nothing acknowledged is lost, not {len(lost)} and {len(unchanged)}")
    scene.expect(len(rows) == len(kept), f"nothing is done twice, not {len(rows) - len(kept)}")
    scene.expect(journal.statuses[INTERNAL_ERROR] == 0, "no 500")
