"""Show that requests take the same time regardless of the number of rows; prints a table of ratios.

Usage: `.venv/bin/python -m benchmarks.growth`; takes some minutes. Exits 1 when a ratio exceeds 1.5.
"""

import asyncio
import itertools
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import httpx2

from benchmarks.server import running_database, running_server

NOTES = (1_000, 1_000_000)
USERS, SESSIONS = (1_000, 200_000), (1_000, 1_000_000)
RUNS, WARM_UP = 100, 15
HIGHEST_RATIO = 1.5
PASSWORD = "wrong horse battery staple"
ADMIN = "admin@example.com"
Case = Callable[[], Awaitable[httpx2.Response]]

INSERT_USERS = """
INSERT INTO users (id, email, hashed_password, created_at)
SELECT gen_random_uuid(), 'user-' || n || '@example.com', 'x', now() - n * interval '1 minute'
FROM generate_series($1::int, $2::int) AS n
"""
INSERT_SESSIONS = """
INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), owners.id, now(), now(), now() + interval '30 days'
FROM (SELECT id, row_number() OVER () AS place FROM users) AS owners
JOIN generate_series($1::int, $2::int) AS n ON n % $3::int + 1 = owners.place
"""
INSERT_NOTES = """
INSERT INTO notes (id, owner_id, title, description, created_at)
SELECT gen_random_uuid(), $3,
    left(md5(n::text), 6) || (ARRAY[' milk', ' calls', ' report', ' plants', ' flight'])[1 + n % 5]
        || CASE WHEN n % ($2::int / 10) = 0 THEN ' Kyoto' ELSE '' END,
    'text', now() - n * interval '1 second'
FROM generate_series($1::int, $2::int) AS n
"""
"""One title in five contains milk, spread over all orders; ten titles contain Kyoto, for any number of rows."""


class Measured:
    """A client of the service, and every request that is measured."""

    def __init__(self, client: httpx2.AsyncClient, headers: dict[str, str], refresh_token: str) -> None:
        """Measure as one account, the owner of all notes and an administrator."""
        self.client, self.headers, self.refresh_token = client, headers, refresh_token
        self._numbers = itertools.count()

    async def cases(self) -> dict[str, Case]:
        """Return every list with every filter and order, and the operations that write."""
        middle = (await self._get("notes?limit=100")).json()["items"][50]["created_at"].replace("+", "%2B")
        cursor = (await self._get("notes")).json()["next_cursor"]
        filters = [
            "",
            "title=milk",
            "title=Kyoto",
            "title=Zanzibar",
            f"created_after={middle}",
            f"created_before={middle}",
        ]
        filters += [f"title=milk&created_before={middle}", f"title=Kyoto&created_before={middle}"]
        lists = {
            f"notes sort={sort} {condition}".replace(middle, "…"): f"notes?sort={sort}&{condition}".rstrip("&")
            for sort in ("created_at", "-created_at", "title", "-title")
            for condition in filters
        }
        lists |= {"notes, next page": f"notes?cursor={cursor}", "users": "users", "sessions": "auth/sessions"}
        lists |= {"jobs": "admin/jobs", "jobs state=failed": "admin/jobs?state=failed"}
        cases: dict[str, Case] = {name: self._getter(path) for name, path in lists.items()}
        return cases | {"create": self._create, "login": self._log_in, "refresh": self._refresh}

    def _getter(self, path: str) -> Case:
        return lambda: self._get(path)

    async def _get(self, path: str) -> httpx2.Response:
        return await self.client.get(f"/api/v1/{path}", headers=self.headers)

    async def _create(self) -> httpx2.Response:
        data = {"title": f"Buy milk {next(self._numbers)}"}
        return await self.client.post("/api/v1/notes", json=data, headers=self.headers)

    async def _log_in(self) -> httpx2.Response:
        form = {"grant_type": "password", "username": ADMIN, "password": PASSWORD}
        return await self.client.post("/api/v1/auth/token", data=form)

    async def _refresh(self) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        answer = await self.client.post("/api/v1/auth/token", data=form)
        self.refresh_token = answer.json()["refresh_token"]
        return answer


async def seconds_of(case: Case) -> float:
    """Return the lower quartile of some runs, which noise disturbs least."""
    times = []
    for run in range(WARM_UP + RUNS):
        started = time.perf_counter()
        answer = await case()
        answer.raise_for_status()
        if run >= WARM_UP:
            times.append(time.perf_counter() - started)
    return statistics.quantiles(times, n=4)[0]


async def measure(measured: Measured) -> dict[str, float]:
    """Measure every case, after ending the previous sessions."""
    await measured.client.delete("/api/v1/auth/sessions", headers=measured.headers)
    return {name: await seconds_of(case) for name, case in (await measured.cases()).items()}


async def fill(connection: asyncpg.Connection, owner: UUID, step: int) -> None:
    """Add rows up to the number of this step."""

    def span(counts: tuple[int, int]) -> tuple[int, int]:
        return (counts[step - 1] + 1 if step else 1), counts[step]

    await connection.execute(INSERT_USERS, *span(USERS))
    await connection.execute(INSERT_SESSIONS, *span(SESSIONS), USERS[step])
    await connection.execute("DELETE FROM notes")
    await connection.execute(INSERT_NOTES, 1, NOTES[step], owner)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")


async def compare(address: str, dsn: str) -> dict[str, tuple[float, float]]:
    """Measure with few rows and with many, and creating without the search index."""
    connection = await asyncpg.connect(dsn)
    async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
        await client.post("/api/v1/users", json={"email": ADMIN, "password": PASSWORD})
        owner = await connection.fetchval("UPDATE users SET role = 'admin' RETURNING id")
        form = {"grant_type": "password", "username": ADMIN, "password": PASSWORD}
        granted = (await client.post("/api/v1/auth/token", data=form)).json()
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        measured = Measured(client, headers, granted["refresh_token"])
        results = []
        for step in range(len(NOTES)):
            await fill(connection, owner, step)
            results.append(await measure(measured))
        with_index = await seconds_of((await measured.cases())["create"])
        await connection.execute("DROP INDEX ix_notes_title_trigrams")
        without = await seconds_of((await measured.cases())["create"])
    await connection.close()
    ratios = {name: (results[0][name], results[1][name]) for name in results[0]}
    return ratios | {"create, without and with the index of searches": (without, with_index)}


def run_service() -> dict[str, tuple[float, float]]:
    """Start a database and a worker process of the service, and compare."""
    # Without vacuum in the background, because the figures are about requests and not about the disk.
    quiet = ("full_page_writes = off", "autovacuum = off", "max_wal_size = '8GB'", "shared_buffers = '1GB'")
    key = secrets.token_hex(32)
    with (
        running_database(*quiet) as url,
        running_server(
            url, ENVIRONMENT="staging", SECRET_KEY=key, PASSWORD_HASH_MEMORY_KIB="8", PASSWORD_HASH_ITERATIONS="1"
        ) as (address, _),
    ):
        return asyncio.run(compare(address, url))


def main() -> int:
    """Print the table of docs/performance.md."""
    figures = run_service()
    print(f"| request | {NOTES[0]:,} notes | {NOTES[1]:,} notes | ratio |\n|---|---|---|---|")
    worst = 0.0
    for case, (few, many) in figures.items():
        worst = max(worst, many / few)
        print(f"| {case} | {few * 1000:.2f} ms | {many * 1000:.2f} ms | {many / few:.2f} |")
    print(f"\nThe highest ratio is {worst:.2f}, of at most {HIGHEST_RATIO:g}.")
    return int(worst > HIGHEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
