"""A host that does not respond, a pooler, and migrations that are killed."""

import asyncio
import os
import secrets
import socket
import sys
import time
from urllib.parse import quote

import asyncpg
import httpx2
from alembic.script import ScriptDirectory

from app.core.database_url import PROJECT_ROOT
from devtools.pgbouncer import is_installed, running_pgbouncer
from drills.drill import Scene, drill
from drills.world import World

UNAUTHORIZED = 401
CONNECT_SECONDS = 1.5
"""DATABASE_CONNECT_TIMEOUT_SECONDS of the drills."""
SCHEMA = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


async def migrate(world: World, *arguments: str, **changes: str) -> int:
    """Run the migrations in a process; return its exit code."""
    environment = {**os.environ, **world.environment, **changes}
    command = (sys.executable, "-m", "app", "migrate", *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=PROJECT_ROOT, env=environment)
    return await process.wait()


async def tour(scene: Scene, address: str, headers: dict[str, str]) -> None:
    """Write and read notes."""
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=10) as client:
        for number in range(20):
            created = await client.post("/api/v1/notes", json={"title": f"{scene.load.name} {number}"})
            scene.expect(created.status_code == httpx2.codes.CREATED, f"writes, not {created.status_code}")
            listed = await client.get("/api/v1/notes?limit=5&title=drill")
            scene.expect(listed.status_code == httpx2.codes.OK, f"reads, not {listed.status_code}")


@drill("the first of two hosts does not respond", rate=0, quick=True)
async def silent_host(world: World, scene: Scene) -> None:
    """It does not respond, as after a power loss; web, worker and migrations use the second host."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"127.0.0.1,{world.primary.socket_directory}"
        url = f"postgresql://postgres@/app?host={quote(hosts)}&port={silent.getsockname()[1]},5432"
        started = time.monotonic()
        scene.expect(await migrate(world, DATABASE_URL=url) == 0, "migrates")
        replica, worker = (world.service(f"second-{c}", c, DATABASE_URL=url) for c in ("serve", "worker"))
        try:
            await replica.started()
            worker.start()
            await tour(scene, replica.address, scene.load.headers)
            await world.account(f"{time.time_ns()}@example.com", replica.address)
            await world.all_jobs_done()
            seconds = time.monotonic() - started
            scene.expect(seconds < 10 * CONNECT_SECONDS, f"without waiting for the first, not {seconds:.0f} s")
        finally:
            replica.kill()
            worker.kill()


@drill("PgBouncer in transaction mode", rate=0, quick=True)
async def pgbouncer(world: World, scene: Scene) -> None:
    """Requests, the worker, repeated migrations, and a revocation in another process work."""
    if not is_installed():
        print("  left out: PgBouncer is not installed (Debian: pgbouncer)")
        return
    with running_pgbouncer(world.folder, world.primary.socket_directory) as port:
        pooled = {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/app", "DATABASE_DIRECT_URL": world.dsn}
        scene.expect([await migrate(world, **pooled) for _ in range(2)] == [0, 0], "migrates twice")
        services = [world.service(f"pooled-{n}", "serve", WEB_CONCURRENCY="1", **pooled) for n in range(2)]
        worker = world.service("pooled-worker", "worker", **pooled)
        try:
            await asyncio.gather(*(service.started() for service in services))
            worker.start()
            await asyncio.gather(*(tour(scene, service.address, scene.load.headers) for service in services))
            token = await world.account(f"{time.time_ns()}@example.com", services[0].address)
            await world.all_jobs_done()
            seconds = await revoked(services[0].address, services[1].address, token)
            scene.expect(seconds < 1, f"a revocation is heard within a second, not {seconds:.2f} s")
        finally:
            for service in (*services, worker):
                service.kill()
            await world.execute("ALTER ROLE postgres IN DATABASE app RESET ALL")


async def revoked(here: str, there: str, token: str) -> float:
    """Revoke a token in one process; return the seconds until another one refuses it."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        for _ in range(3):
            await client.get(f"{there}/api/v1/users/me")
        await client.post(f"{here}/api/v1/auth/revoke", data={"token": token})
        started = time.monotonic()
        while (await client.get(f"{there}/api/v1/users/me")).status_code != UNAUTHORIZED:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return time.monotonic() - started


@drill("a migration is killed at each revision", rate=0)
async def migrations_killed(world: World, scene: Scene) -> None:
    """It changes nothing, and the next run succeeds."""
    name = f"killed_{secrets.token_hex(4)}"
    await world.execute(f'CREATE DATABASE "{name}"')
    url = world.dsn.replace("/app?", f"/{name}?")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    scripts = ScriptDirectory(str(PROJECT_ROOT / "migrations")).walk_revisions()
    for revision in sorted(script.revision for script in scripts):
        before = await connection.fetchval(SCHEMA)
        async with connection.transaction():
            await connection.execute("LOCK TABLE alembic_version")
            migrating = asyncio.create_task(
                migrate(world, revision, DATABASE_URL=url, DATABASE_MIGRATION_TIMEOUT_SECONDS="60")
            )
            await asyncio.sleep(1.5)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            scene.expect(await migrating != 0, f"{revision} is ended")
        scene.expect(await connection.fetchval(SCHEMA) == before, f"{revision} leaves nothing")
        scene.expect(await migrate(world, revision, DATABASE_URL=url) == 0, f"{revision} succeeds then")
    await connection.close()
