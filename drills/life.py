"""Processes that stop, are replaced, or are killed."""

import asyncio
import os
import signal
import time

import httpx2

from drills.drill import Scene, drill
from drills.world import World

UNAVAILABLE = 503
GRACE_SECONDS = 12
REGISTRATIONS = 20
EVERYWHERE_SECONDS = 0.1
IN_FLIGHT = 5
NOTES_COUNTED = (
    'http_requests_total{method="GET",route="/api/v1/notes"',
    'http_requests_total{method="POST",route="/api/v1/notes"',
)


@drill("a worker process is killed", may_lose=True, quick=True)
async def worker_killed(world: World, scene: Scene) -> None:
    """Only its requests are lost; another worker replaces it within a second."""
    replica = world.replicas[0]
    for _ in range(3):
        await asyncio.sleep(1)
        before = replica.workers()
        os.kill(before[0], signal.SIGKILL)
        killed = time.monotonic()
        while len(set(replica.workers()) - {before[0]}) < len(before):  # noqa: ASYNC110  there is no event to wait for
            await asyncio.sleep(0.01)
        seconds = time.monotonic() - killed
        scene.expect(seconds < 1, f"replaced within a second, not {seconds:.1f} s")
    await asyncio.sleep(1)
    lost = scene.load.statuses()[0]
    scene.expect(lost <= len(scene.load.samples) / 20, f"only what it was serving is lost, not {lost}")


@drill("Prometheus scrapes during the load", rate=150, quick=True)
async def scrape(world: World, scene: Scene) -> None:
    """The metrics of two processes agree with the requests that were sent."""
    replica = world.replicas[0]

    async def counted() -> float:
        async with httpx2.AsyncClient(base_url=replica.address) as client:
            lines = (await client.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(NOTES_COUNTED))

    await asyncio.sleep(1)
    before, sent_before = await counted(), len(scene.load.samples)
    await asyncio.sleep(3)
    after, sent_after = await counted(), len(scene.load.samples)
    difference = abs((after - before) - (sent_after - sent_before))
    scene.expect(sent_after > sent_before, "there is load")
    scene.expect(difference <= IN_FLIGHT, f"counts agree, give or take what is in flight, not {difference:.0f} apart")


@drill("sessions end", rate=0, quick=True)
async def sessions_end(world: World, scene: Scene) -> None:
    """A session that is ended at one replica is refused by every process of the other within a tenth of a second."""
    slowest = 0.0
    for number in range(10):
        token = await world.account(f"ending-{number % 3}@example.com")
        headers = {"Authorization": f"Bearer {token}"}
        # A connection for each request, so that both processes are asked.
        alone = httpx2.Limits(max_keepalive_connections=0)
        async with httpx2.AsyncClient(limits=alone, headers=headers) as client:

            async def is_in(address: str = f"{world.replicas[1].address}/api/v1/users/me") -> bool:
                return (await client.get(address)).is_success

            scene.expect(all([await is_in() for _ in range(6)]), "logged in everywhere")
            await client.post(f"{world.replicas[0].address}/api/v1/auth/revoke", data={"token": token})
            ended = time.monotonic()
            while any([await is_in() for _ in range(6)]):  # noqa: ASYNC110  there is no event to wait for
                await asyncio.sleep(0)
            slowest = max(slowest, time.monotonic() - ended)  # with the last six requests, which were all refused
    scene.expect(slowest < EVERYWHERE_SECONDS, f"refused everywhere within {EVERYWHERE_SECONDS} s, not {slowest:.2f} s")


@drill("replicas restart one after another", nginx=True, quick=True)
async def rolling_restart(world: World, scene: Scene) -> None:
    """Behind nginx no request fails."""
    for replica in world.replicas:
        await asyncio.sleep(0.5)
        started = time.monotonic()
        code = await replica.stopped()
        seconds = time.monotonic() - started
        scene.expect(code == 0 and seconds < GRACE_SECONDS, f"exits 0 in time, not {code} after {seconds:.0f} s")
        await replica.started()
    await asyncio.sleep(0.5)


@drill("SIGHUP replaces the workers", nginx=True)
async def hang_up(world: World, scene: Scene) -> None:
    """Behind nginx no request fails."""
    for replica in world.replicas:
        before = set(replica.workers())
        replica.signal(signal.SIGHUP)
        await asyncio.sleep(5)
        left = before & set(replica.workers())
        scene.expect(not left, f"all are replaced, but for {left}")


@drill("workers are recycled", nginx=True, rate=120)
async def recycling(world: World, scene: Scene) -> None:
    """Behind nginx no request fails."""
    for replica in world.replicas:
        await replica.stopped()
        replica.environment["RECYCLE_AFTER_REQUESTS"] = "100"
        await replica.started()
    before = [set(replica.workers()) for replica in world.replicas]
    await asyncio.sleep(8)
    for replica, pids in zip(world.replicas, before, strict=True):
        scene.expect(set(replica.workers()) - pids, "workers are replaced")
        del replica.environment["RECYCLE_AFTER_REQUESTS"]
        await replica.stopped()
        await replica.started()


@drill("SIGTERM comes while requests are served", rate=0)
async def in_flight(world: World, scene: Scene) -> None:
    """The service is not ready, each response closes its connection, and requests in progress finish in time."""
    replica = world.service("leaving")
    # The body arrives after the drain, when the listener is closed.
    replica.environment |= {"RECEIVE_TIMEOUT_SECONDS": "10", "REQUEST_TIMEOUT_SECONDS": "10"}
    await replica.started()
    body = b'{"title": "in flight"}'
    token = scene.load.headers["Authorization"]
    reader, writer = await asyncio.open_connection("127.0.0.1", replica.port)
    head = f"POST /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    replica.signal(signal.SIGTERM)
    await replica.wait_for("/health/ready", UNAVAILABLE)
    async with httpx2.AsyncClient(base_url=replica.address, headers=scene.load.headers) as client:
        answer = await client.get("/api/v1/notes")
    scene.expect(answer.status_code == httpx2.codes.OK, f"new requests are served, not {answer.status_code}")
    scene.expect(answer.headers.get("connection") == "close", "answers close their connection")
    await asyncio.sleep(2.5)
    writer.write(body)
    answered = await reader.readline()
    scene.expect(answered.startswith(b"HTTP/1.1 201"), f"what is in flight is answered with 201, not {answered!r}")
    writer.close()
    scene.expect(await replica.exited() == 0, "exits 0")


@drill("the job worker is killed", rate=0)
async def job_worker_killed(world: World, scene: Scene) -> None:
    """Repeatedly, during jobs: every mail is sent nevertheless."""
    async with httpx2.AsyncClient(base_url=world.replicas[0].address, timeout=10) as client:
        for number in range(REGISTRATIONS):
            form = {"email": f"drill-{time.time_ns()}-{number}@example.com", "password": "wrong horse battery"}
            answer = await client.post("/api/v1/users", json=form, headers={"X-Forwarded-For": f"192.0.2.{number}"})
            scene.expect(answer.status_code == httpx2.codes.CREATED, f"registered, not {answer.status_code}")
    worker = world.service("worker", "worker")
    for pause in (1.2, 1.3, 1.4):
        worker.start()
        await asyncio.sleep(pause)
        worker.kill()
    worker.start()
    await world.all_jobs_done()
    await asyncio.sleep(2)
    code = await worker.stopped()
    scene.expect(code == 0, f"exits 0 after SIGTERM, not {code}")
    sent = sum(1 for _ in world.mails.glob("*.eml"))
    scene.expect(sent >= REGISTRATIONS, f"{REGISTRATIONS} mails are sent, not {sent}")


@drill("the job worker loses its connections", rate=0)
async def job_worker_cut_off(world: World, scene: Scene) -> None:
    """It reconnects and continues."""
    worker = world.service("worker", "worker")
    worker.start()
    await asyncio.sleep(2)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'app'"
    await world.execute(cut)
    scene.load.headers["Authorization"] = f"Bearer {await world.account(f'{time.time_ns()}@example.com')}"
    await world.all_jobs_done()
    scene.expect(await worker.stopped() == 0, "exits 0 after SIGTERM")
