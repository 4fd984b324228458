"""Measure what 200 concurrent logins do to memory and to other requests.

Usage: `.venv/bin/python -m benchmarks.login_load`.
"""

import asyncio
import statistics
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from uuid import uuid4

import httpx2

from benchmarks.server import resident_mib, running_database, running_server

LOGINS = 200
SECONDS = 3.0
PASSWORD = "correct horse battery staple"


async def log_in(client: httpx2.AsyncClient, email: str) -> httpx2.Response:
    """Log in."""
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    return await client.post("/api/v1/auth/token", data=form)


def read(address: str, token: str, seconds: float) -> list[float]:
    """Read notes repeatedly, in a separate process; return the milliseconds of each response."""
    taken, deadline = [], time.monotonic() + seconds
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        while time.monotonic() < deadline:
            started = time.perf_counter()
            assert client.get("/api/v1/notes").is_success
            taken.append((time.perf_counter() - started) * 1000)
            time.sleep(0.005)
    return taken


async def main(database_url: str) -> None:
    """Measure reads and memory during the logins."""
    email = f"{uuid4()}@example.com"
    limits = httpx2.Limits(max_connections=LOGINS)
    with running_server(database_url) as (address, pid), ProcessPoolExecutor(1) as pool:
        async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
            await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
            token = (await log_in(client, email)).json()["access_token"]
            before = peak = resident_mib(pid)
            reading = asyncio.get_running_loop().run_in_executor(pool, read, address, token, SECONDS)
            logins = asyncio.gather(*(log_in(client, email) for _ in range(LOGINS)))
            while not reading.done():
                peak = max(peak, resident_mib(pid))
                await asyncio.sleep(0.05)
            statuses = Counter(answer.status_code for answer in await logins)
            taken = sorted(await reading)
    print(f"{LOGINS} concurrent logins: {dict(statuses)}")
    print(f"memory: {before:.0f} MiB before, {peak:.0f} MiB at the peak")
    print(f"other requests: p50 {statistics.median(taken):.1f} ms, p99 {taken[int(len(taken) * 0.99)]:.1f} ms")


if __name__ == "__main__":
    with running_database() as url:
        asyncio.run(main(url))
