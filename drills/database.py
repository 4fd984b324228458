"""PostgreSQL restarts, crashes, freezes, fails over, refuses and is full."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.core.database_url import PROJECT_ROOT
from drills.drill import Scene, drill
from drills.world import World

UNAVAILABLE, TOO_LATE = 503, 504
MIGRATORS = 8
IDLE_REQUESTS = 40
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app' AND pid <> pg_backend_pid()"


@asynccontextmanager
async def sabotage(world: World, statement: str, *, at_commit: bool = False) -> AsyncIterator[None]:
    """Make PostgreSQL run a statement for every item that is inserted, or when that commits."""
    kind, deferred = ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("", "")
    await world.execute(
        f"CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$",
        f"CREATE {kind} TRIGGER sabotage AFTER INSERT ON items {deferred} FOR EACH ROW EXECUTE FUNCTION sabotage()",
    )
    yield
    await world.execute("DROP FUNCTION sabotage CASCADE")


async def stop_and_start(world: World, scene: Scene, mode: str, pause: float) -> None:
    """Stop the primary in the middle of the load, and start it after a while."""
    await asyncio.sleep(1)
    await asyncio.to_thread(world.primary.stop, mode)
    await asyncio.sleep(pause)
    starting = asyncio.create_task(asyncio.to_thread(world.primary.start))
    scene.healed = await world.accepting()
    await asyncio.gather(starting, asyncio.sleep(2))


@drill("PostgreSQL restarts", refusals={UNAVAILABLE}, quick=True)
async def restart(world: World, scene: Scene) -> None:
    """In good order."""
    await stop_and_start(world, scene, "fast", pause=0.5)


@drill("PostgreSQL crashes", refusals={UNAVAILABLE})
async def crash(world: World, scene: Scene) -> None:
    """Nothing is written any more; it recovers from its log."""
    await stop_and_start(world, scene, "immediate", pause=0)


@drill("a backend is killed", refusals={UNAVAILABLE})
async def backend_killed(world: World, scene: Scene) -> None:
    """With SIGKILL in the middle of transactions: PostgreSQL ends all others, too, and recovers."""
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
    """Most of it is done again and never seen."""
    for _ in range(10):
        await asyncio.sleep(0.3)
        await world.execute(OTHERS)
    await asyncio.sleep(1)
    refused = scene.load.statuses()[UNAVAILABLE]
    scene.expect(refused <= len(scene.load.samples) / 20, "at most one in twenty is refused")


@drill("an idle pool outlives a restart", rate=0, quick=True)
async def idle_pool(world: World, scene: Scene) -> None:
    """Without a single error."""
    await asyncio.gather(*(scene.load.read() for _ in range(IDLE_REQUESTS)))
    await asyncio.to_thread(world.primary.stop)
    await asyncio.to_thread(world.primary.start)
    await world.accepting()
    for _ in range(IDLE_REQUESTS // 2):
        await asyncio.gather(scene.load.write(), scene.load.read())


@drill("PostgreSQL freezes", refusals={UNAVAILABLE, TOO_LATE}, quick=True)
async def freeze(world: World, scene: Scene) -> None:
    """Alive throughout, not ready meanwhile, and it heals by itself."""
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
    """Others hold all of them."""
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
    """Writes give up after the lock time-out; reads go on."""
    await asyncio.sleep(1)
    connection = await world.connect()
    async with connection.transaction():
        await connection.execute("LOCK TABLE items IN EXCLUSIVE MODE")
        await asyncio.sleep(4)
    await connection.close()
    await asyncio.sleep(1)
    scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    scene.expect(scene.load.statuses()[UNAVAILABLE], "writes are refused")


@drill("a statement takes too long", refusals={UNAVAILABLE, TOO_LATE}, rate=8)
async def slow_statement(world: World, scene: Scene) -> None:
    """It is ended by the server; reads go on."""
    async with sabotage(world, "PERFORM pg_sleep(10)"):
        await asyncio.sleep(4)
        # Before the trigger is dropped, which itself locks the table.
        scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    await asyncio.sleep(1)
    scene.expect(scene.load.statuses()[TOO_LATE], "writes are ended")


@drill("transactions collide", refusals={UNAVAILABLE}, definite=True, quick=True)
async def collisions(world: World, scene: Scene) -> None:
    """Three in ten fail to serialise; they are done again, so that nearly nobody sees it."""
    async with sabotage(world, "IF random() < 0.3 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF"):
        await asyncio.sleep(4)
    refused = scene.load.statuses()[UNAVAILABLE]
    scene.expect(refused <= len(scene.load.samples) / 25, "at most one in twenty-five is refused")


@drill("transactions deadlock", refusals={UNAVAILABLE})
async def deadlocks(world: World, scene: Scene) -> None:
    """Every insert takes two locks, in either order."""
    one, two, pause = "PERFORM pg_advisory_xact_lock(1)", "PERFORM pg_advisory_xact_lock(2)", "PERFORM pg_sleep(0.005)"
    both = f"IF random() < 0.5 THEN {one}; {pause}; {two}; ELSE {two}; {pause}; {one}; END IF"
    await world.execute("ALTER DATABASE app SET deadlock_timeout = '20ms'", OTHERS)
    async with sabotage(world, both):
        await asyncio.sleep(4)
    await world.execute("ALTER DATABASE app RESET deadlock_timeout")
    scene.expect(scene.load.statuses(writes=True)[201] > scene.load.statuses()[UNAVAILABLE], "most succeed")


@drill("the disk is full", refusals={UNAVAILABLE}, definite=True)
async def disk_full(world: World, scene: Scene) -> None:
    """Reads go on."""
    async with sabotage(world, "RAISE EXCEPTION USING ERRCODE = '53100'"):
        await asyncio.sleep(3)
    await asyncio.sleep(0.5)
    scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    scene.expect(scene.load.statuses()[UNAVAILABLE], "writes are refused")


@drill("COMMIT fails", refusals={UNAVAILABLE}, definite=True, quick=True)
async def commit_fails(world: World, scene: Scene) -> None:
    """Nothing of it is kept, and nobody is told otherwise."""
    async with sabotage(world, "RAISE EXCEPTION USING ERRCODE = '53100'", at_commit=True):
        await asyncio.sleep(0.2)
        before = len(scene.load.acknowledged)
        await asyncio.sleep(2)
        scene.expect(len(scene.load.acknowledged) == before, "no write is acknowledged")


@drill("backends are killed while they commit", refusals={UNAVAILABLE})
async def killed_committing(world: World, scene: Scene) -> None:
    """Only the client can decide what to do again."""
    kill = "IF random() < 0.2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF"
    async with sabotage(world, kill, at_commit=True):
        await asyncio.sleep(3)
    await asyncio.sleep(0.5)
    scene.expect(scene.load.statuses()[UNAVAILABLE], "some are refused")


@drill("PostgreSQL becomes read-only", refusals={UNAVAILABLE})
async def read_only(world: World, scene: Scene) -> None:
    """As an old primary after a fail-over: its connections are left."""
    await asyncio.sleep(1)
    connection = await world.connect()
    await connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await connection.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(2)
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    scene.healed = await world.accepting()
    await asyncio.sleep(2)


@drill("eight migrators at once", rate=20, quick=True)
async def migrators(world: World, scene: Scene) -> None:
    """All succeed, under load; niced, because this machine is not to show how it shares two cores among ten."""
    arguments = ("nice", "-n", "19", sys.executable, "-m", "app", "migrate")
    environment = {**os.environ, **world.environment}
    started = [
        await asyncio.create_subprocess_exec(*arguments, cwd=PROJECT_ROOT, env=environment) for _ in range(MIGRATORS)
    ]
    codes = [await process.wait() for process in started]
    scene.expect(codes == [0] * MIGRATORS, f"all exit 0, not {codes}")


@drill("the database is away at start", rate=0, quick=True)
async def away_at_start(world: World, scene: Scene) -> None:
    """Alive, not ready, and ready within a second of the database."""
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
    """The primary dies, the synchronous standby is promoted; the same URL leads to it. The last of the drills here."""
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
