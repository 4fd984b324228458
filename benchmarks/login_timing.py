"""Measure whether response times reveal that an account exists, for logins and forgotten passwords.

Usage: `.venv/bin/python -m benchmarks.login_timing`.
"""

import asyncio
import statistics
import time
from uuid import uuid4

import httpx2

from benchmarks.server import running_database, running_server

ROUNDS = 100
PASSWORD, WRONG = "correct horse battery staple", "wrong horse battery staple"


async def log_in(client: httpx2.AsyncClient, email: str) -> None:
    """Fail to log in."""
    form = {"grant_type": "password", "username": email, "password": WRONG}
    assert (await client.post("/api/v1/auth/token", data=form)).is_client_error


async def forget(client: httpx2.AsyncClient, email: str) -> None:
    """Request a reset."""
    assert (await client.post("/api/v1/auth/password/forgot", json={"email": email})).is_success


async def compare(client: httpx2.AsyncClient, name: str) -> None:
    """Alternate between a known and an unknown account, so that noise affects both."""
    known, unknown = f"{uuid4()}@example.com", f"{uuid4()}@example.com"
    await client.post("/api/v1/users", json={"email": known, "password": PASSWORD})
    request = {"login": log_in, "forgot password": forget}[name]
    times: dict[str, list[float]] = {known: [], unknown: []}
    for _ in range(ROUNDS):
        for email, taken in times.items():
            started = time.perf_counter()
            await request(client, email)
            taken.append((time.perf_counter() - started) * 1000)
    first, second = (statistics.median(taken) for taken in times.values())
    print(f"{name}: known {first:.2f} ms, unknown {second:.2f} ms, difference {abs(first / second - 1):.1%}")


async def main(database_url: str) -> None:
    """Compare both."""
    with running_server(database_url) as (address, _):
        async with httpx2.AsyncClient(base_url=address) as client:
            await compare(client, "login")
            await compare(client, "forgot password")


if __name__ == "__main__":
    with running_database() as url:
        asyncio.run(main(url))
