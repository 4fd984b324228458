"""Count whether 10,000 conflicting changes lose an update.

Usage: `.venv/bin/python -m benchmarks.conflicting_edits`.
"""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx2

from benchmarks.server import running_database, running_server

EDITORS, EDITS = 20, 10_000
PASSWORD = "correct horse battery staple"


async def edit(client: httpx2.AsyncClient, path: str, outcomes: Counter[int]) -> None:
    """Read, add one, and write with a condition, repeatedly."""
    while outcomes.total() < EDITS:
        current = await client.get(path)
        title = str(int(current.json()["title"]) + 1)
        response = await client.patch(path, json={"title": title}, headers={"If-Match": current.headers["etag"]})
        outcomes[response.status_code] += 1


async def main(database_url: str) -> None:
    """Let twenty editors change one note."""
    email = f"{uuid4()}@example.com"
    with running_server(database_url) as (address, _):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            await client.post("/api/v1/users", json={"email": email, "password": PASSWORD})
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            path = (await client.post("/api/v1/notes", json={"title": "0"})).headers["location"]
            outcomes: Counter[int] = Counter()
            await asyncio.gather(*(edit(client, path, outcomes) for _ in range(EDITORS)))
            counted = (await client.get(path)).json()["title"]
    print(f"{outcomes.total()} changes: {dict(outcomes)}; the note counted to {counted}")


if __name__ == "__main__":
    with running_database() as url:
        asyncio.run(main(url))
