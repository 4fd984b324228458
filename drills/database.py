"""PostgreSQL restarts, crashes, freezes, fails over, refuses and is full."""

import asyncio
import os
import signal
import sys

import asyncpg

from app.core.database_url import PROJECT_ROOT
from drills.drill import Scene, drill
from drills.world import World

UNAVAILABLE, TOO_LATE = 503, 504
MIGRATORS = 8
IDLE_REQUESTS = 40
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app' AND pid <> pg_backend_pid()"


async def stop_and_start(world: World, scene: Scene, mode: str, pause: float) -> None:
    """Stop the primary during the load, and start it after some seconds."""
    await asyncio.sleep(1)
    await asyncio.to_thread(world.primary.stop, mode)
    await asyncio.sleep(pause)
    starting = asyncio.create_task(asyncio.to_thread(world.primary.start))
    scene.healed = await world.accepting()
    await asyncio.gather(starting, asyncio.sleep(2))


@drill("PostgreSQL restarts", refusals={UNAVAILABLE}, quick=True)
async def restart(world: World, scene: Scene) -> None:
    """The server is stopped and started regularly."""
    await stop_and_start(world, scene, "fast", pause=0.5)


@drill("PostgreSQL crashes", refusals={UNAVAILABLE})
async def crash(world: World, scene: Scene) -> None:
    """The server stops immediately, and recovers from its log."""
    await stop_and_start(world, scene, "immediate", pause=0)


@drill("a backend is killed", refusals={UNAVAILABLE})
async def backend_killed(world: World, scene: Scene) -> None:
    """With SIGKILL during transactions: PostgreSQL ends all other backends, too, and recovers."""
    await asyncio.sleep(1)
    connection = await world.connect()
    pid = await connection.fetchval("SELECT pid FROM pg_stat_activity WHERE application_name = 'dayone' LIMIT 1")
    connection.terminate()
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    scene.healed = await world.accepting()
    await asyncio.sleep(2)


@drill("connections are ended again and again", refusals={UNAVAILABLE})
async def connections_ended(world: World, scene: Scene) -> None:
    """Most requests are repeated, and clients see no error."""
    for _ in range(10):
        await asyncio.sleep(0.3)
        await world.execute(OTHERS)
    await asyncio.sleep(1)
    refused = scene.load.statuses()[UNAVAILABLE]
    scene.expect(refused <= len(scene.load.samples) / 20, "at most one in twenty is refused")


@drill("an idle pool outlives a restart", rate=0, quick=True)
async def idle_pool(world: World, scene: Scene) -> None:
    """No request fails."""
    await asyncio.gather(*(scene.load.read() for _ in range(IDLE_REQUESTS)))
    await asyncio.to_thread(world.primary.stop)
    await asyncio.to_thread(world.primary.start)
    await world.accepting()
    for _ in range(IDLE_REQUESTS // 2):
        await asyncio.gather(scene.load.write(), scene.load.read())


@drill("PostgreSQL freezes", refusals={UNAVAILABLE, TOO_LATE}, quick=True)
async def freeze(world: World, scene: Scene) -> None:
    """The service is alive, not ready, and recovers by itself."""
    await asyncio.sleep(1)
    replica = world.replicas[0]
    with world.primary.frozen():
        await replica.wait_for("/health/ready", UNAVAILABLE)
        for _ in range(10):
            async with asyncio.timeout(1):
                await replica.wait_for("/health/live")
            await asyncio.sleep(0.4)
    scene.healed = await world.accepting()
    await asyncio.sleep(3)


@drill("PostgreSQL has no connections left", refusals={UNAVAILABLE})
async def connections_exhausted(world: World, scene: Scene) -> None:
    """Other clients hold all connections."""
    await asyncio.sleep(1)
    hogs: list[asyncpg.Connection] = []
    await world.execute(OTHERS)
    try:
        while True:
            hogs.append(await world.connect())
    except asyncpg.TooManyConnectionsError:
        await hogs[0].execute(OTHERS.replace("pid <> pg_backend_pid()", "application_name = 'dayone'"))
        hogs += [c for c in await asyncio.gather(*(take(world) for _ in range(20))) if c]
    await asyncio.sleep(2)
    for hog in hogs:
        hog.terminate()
    scene.healed = await world.accepting()
    await asyncio.sleep(2)


async def take(world: World) -> asyncpg.Connection | None:
    """Take a connection, if there is one."""
    try:
        return await world.connect()
    except asyncpg.TooManyConnectionsError:
        return None


@drill("a table is locked", refusals={UNAVAILABLE}, definite=True, rate=60)
async def table_locked(world: World, scene: Scene) -> None:
    """Writes fail after the lock timeout; reads continue."""
    await asyncio.sleep(1)
    connection = await world.connect()
    async with connection.transaction():
        await connection.execute("LOCK TABLE notes IN EXCLUSIVE MODE")
        await asyncio.sleep(4)
    await connection.close()
    await asyncio.sleep(1)
    scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    scene.expect(scene.load.statuses()[UNAVAILABLE], "writes are refused")


@drill("eight concurrent migrations", rate=20, quick=True)
async def migrators(world: World, scene: Scene) -> None:
    """All succeed, under load; with low priority, because ten processes share two cores."""
    arguments = ("nice", "-n", "19", sys.executable, "-m", "app", "migrate")
    environment = {**os.environ, **world.environment}
    started = [
        await asyncio.create_subprocess_exec(*arguments, cwd=PROJECT_ROOT, env=environment) for _ in range(MIGRATORS)
    ]
    codes = [await process.wait() for process in started]
    scene.expect(codes == [0] * MIGRATORS, f"all exit 0, not {codes}")


@drill("the database is unavailable at startup", rate=0, quick=True)
async def unavailable_at_startup(world: World, scene: Scene) -> None:
    """The service is alive, not ready, and ready within a second after the database."""
    await asyncio.to_thread(world.primary.stop)
    replica = world.service("early")
    replica.start()
    try:
        await replica.wait_for("/health/live")
        await replica.wait_for("/health/ready", UNAVAILABLE)
        starting = asyncio.create_task(asyncio.to_thread(world.primary.start))
        accepted = await world.accepting()
        ready = await replica.wait_for("/health/ready")
        await starting
        scene.expect(ready - accepted < 1, f"ready within a second, not {ready - accepted:.2f} s")
        scene.expect((await scene.load.write()).is_success, "serves")
    finally:
        replica.kill()


@drill("PostgreSQL fails over", refusals={UNAVAILABLE}, quick=True)
async def fail_over(world: World, scene: Scene) -> None:
    """The primary dies, the synchronous standby is promoted, and the same URL leads to it. The last drill here."""
    await world.replicate_synchronously()
    await asyncio.sleep(1)
    for process in world.primary.processes():
        os.kill(process, signal.SIGKILL)
    await asyncio.sleep(0.5)
    promoting = asyncio.create_task(asyncio.to_thread(world.standby.promote))
    scene.healed = await world.accepting()
    await promoting
    world.primary = world.standby
    await asyncio.sleep(3)
