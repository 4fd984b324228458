"""Does the time of a failed login tell whether the account exists? Prints both medians and their ratio.

Usage: `make run` in one terminal, then `.venv/bin/python -m benchmarks.login_timing http://127.0.0.1:8000`.
"""

import asyncio
import statistics
import sys
import time

import httpx2

ROUNDS = 100
KNOWN, UNKNOWN = "known@example.com", "unknown@example.com"
PASSWORD, WRONG = "correct horse battery staple", "wrong horse battery staple"


async def log_in(client: httpx2.AsyncClient, email: str) -> float:
    """Fail to log in; give the milliseconds that it took."""
    started = time.perf_counter()
    form = {"grant_type": "password", "username": email, "password": WRONG}
    response = await client.post("/api/v1/auth/token", data=form)
    assert response.is_client_error, response.text
    return (time.perf_counter() - started) * 1000


async def main() -> None:
    """Alternate between the two, so that noise hits both alike."""
    async with httpx2.AsyncClient(base_url=sys.argv[1]) as client:
        await client.post("/api/v1/users", json={"email": KNOWN, "password": PASSWORD})
        times: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
        for _ in range(ROUNDS):
            for email, taken in times.items():
                taken.append(await log_in(client, email))
    known, unknown = (statistics.median(taken) for taken in times.values())
    print(f"known {known:.2f} ms, unknown {unknown:.2f} ms, difference {abs(known / unknown - 1):.1%}")


if __name__ == "__main__":
    asyncio.run(main())
