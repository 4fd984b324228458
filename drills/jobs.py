"""A job that kills its worker."""

import asyncio
import os
import sys
import time

import httpx2
from pydantic import SecretStr

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.database import Database
from app.db.queue import enqueue
from drills.drill import Scene, drill
from drills.poisoned_worker import MAXIMUM_ATTEMPTS, Poison
from drills.world import World

NEIGHBOURS = 5


async def enqueue_with_poison(world: World) -> None:
    """Enqueue the job that kills its worker, and mails by registrations."""
    await world.execute("DELETE FROM pgqueuer")
    database = Database(Settings(_env_file=None, database_url=SecretStr(world.dsn)))
    async with database.unit_of_work() as session:
        enqueue(session, Poison())
    await database.dispose()
    async with httpx2.AsyncClient(base_url=world.replicas[0].address, timeout=10) as client:
        for number in range(NEIGHBOURS):
            form = {"email": f"neighbour-{time.time_ns()}-{number}@example.com", "password": "wrong horse battery"}
            (await client.post("/api/v1/users", json=form)).raise_for_status()


async def work_until_done(world: World) -> int:
    """Start workers until one ends by itself; return how many were started."""
    command = (sys.executable, "-m", "drills.poisoned_worker")
    for starts in range(1, 3 * MAXIMUM_ATTEMPTS):
        environment = {**os.environ, **world.environment}
        worker = await asyncio.create_subprocess_exec(*command, cwd=PROJECT_ROOT, env=environment)
        if await worker.wait() == 0:
            return starts
    return 0


@drill("a job kills its worker", rate=0, quick=True)
async def poison(world: World, scene: Scene) -> None:
    """It ends after its attempts, and the mails of other jobs are sent once."""
    sent_before = set(world.mails.glob("*.eml"))
    await enqueue_with_poison(world)
    starts = await work_until_done(world)
    sent = len(set(world.mails.glob("*.eml")) - sent_before)
    connection = await world.connect()
    state = await connection.fetchval("SELECT status::text FROM pgqueuer WHERE entrypoint = 'poison'")
    await connection.close()
    scene.expect(starts == MAXIMUM_ATTEMPTS + 1, f"{MAXIMUM_ATTEMPTS} workers die, not {starts - 1}")
    scene.expect(state == "failed", f"the job ends as failed, not {state}")
    scene.expect(sent == NEIGHBOURS, f"{NEIGHBOURS} mails are sent, not {sent}")
    await world.execute("DELETE FROM pgqueuer")
