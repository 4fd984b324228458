"""Do 10,000 conflicting changes lose an update? Prints the successes and the number that was counted up.

Usage: `make db` in one terminal, then `.venv/bin/python -m benchmarks.conflicting_edits`.
"""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx2

from benchmarks.server import running_server

EDITORS, EDITS = 20, 10_000
PASSWORD = "correct horse battery staple"


async def edit(client: httpx2.AsyncClient, path: str, outcomes: Counter[int]) -> None:
    """Read, add one, write on condition; again and again."""
    while outcomes.total() < EDITS:
        current = await client.get(path)
        title = str(int(current.json()["title"]) + 1)
        response = await client.patch(path, json={"title": title}, headers={"If-Match": current.headers["etag"]})
        outcomes[response.status_code] += 1


async def main() -> None:
    """Let twenty editors at one item."""
    email = f"{uuid4()}@example.com"
    with running_server() as (address, _):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            path = (await client.post("/api/v1/items", json={"title": "0"})).headers["location"]
            outcomes: Counter[int] = Counter()
            await asyncio.gather(*(edit(client, path, outcomes) for _ in range(EDITORS)))
            counted = (await client.get(path)).json()["title"]
    print(f"{outcomes.total()} changes: {dict(outcomes)}; the item counted to {counted}")


if __name__ == "__main__":
    asyncio.run(main())
