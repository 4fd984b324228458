"""Statements and commits that fail, by triggers and by load."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drills.database import OTHERS, TOO_LATE, UNAVAILABLE
from drills.drill import Scene, drill
from drills.world import World


@asynccontextmanager
async def sabotage(world: World, statement: str, *, at_commit: bool = False) -> AsyncIterator[None]:
    """Make PostgreSQL run a statement for every inserted note, or when its transaction commits."""
    kind, deferred = ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("", "")
    await world.execute(
        f"CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$",
        f"CREATE {kind} TRIGGER sabotage AFTER INSERT ON notes {deferred} FOR EACH ROW EXECUTE FUNCTION sabotage()",
    )
    yield
    await world.execute("DROP FUNCTION sabotage CASCADE")


@drill("a statement takes too long", refusals={UNAVAILABLE, TOO_LATE}, rate=8)
async def slow_statement(world: World, scene: Scene) -> None:
    """The server ends it; reads continue."""
    async with sabotage(world, "PERFORM pg_sleep(10)"):
        await asyncio.sleep(4)
        # Before the trigger is dropped, because that locks the table.
        scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    await asyncio.sleep(1)
    scene.expect(scene.load.statuses()[TOO_LATE], "writes are ended")


@drill("transactions collide", refusals={UNAVAILABLE}, definite=True, quick=True)
async def collisions(world: World, scene: Scene) -> None:
    """Three in ten fail to serialise; they are repeated, so that clients see almost no error."""
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
    """Reads continue."""
    async with sabotage(world, "RAISE EXCEPTION USING ERRCODE = '53100'"):
        await asyncio.sleep(3)
    await asyncio.sleep(0.5)
    scene.expect(set(scene.load.statuses(writes=False)) == {200}, "reads go on")
    scene.expect(scene.load.statuses()[UNAVAILABLE], "writes are refused")


@drill("COMMIT fails", refusals={UNAVAILABLE}, definite=True, quick=True)
async def commit_fails(world: World, scene: Scene) -> None:
    """Nothing is kept, and no write is acknowledged."""
    async with sabotage(world, "RAISE EXCEPTION USING ERRCODE = '53100'", at_commit=True):
        await asyncio.sleep(0.2)
        before = len(scene.load.acknowledged)
        await asyncio.sleep(2)
        scene.expect(len(scene.load.acknowledged) == before, "no write is acknowledged")


@drill("backends are killed while they commit", refusals={UNAVAILABLE})
async def killed_committing(world: World, scene: Scene) -> None:
    """Only the client can decide whether to repeat a write."""
    kill = "IF random() < 0.2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF"
    async with sabotage(world, kill, at_commit=True):
        await asyncio.sleep(3)
    await asyncio.sleep(0.5)
    scene.expect(scene.load.statuses()[UNAVAILABLE], "some are refused")


@drill("PostgreSQL becomes read-only", refusals={UNAVAILABLE})
async def read_only(world: World, scene: Scene) -> None:
    """Like a former primary after a failover: the service leaves its connections."""
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
