"""Does page 5,000 cost what page 1 costs? On 1,000,000 items of one owner; prints times, their ratio, and the plan.

Usage: `make db` in one terminal, then `.venv/bin/python -m benchmarks.deep_page`. The rows are deleted in the end.
"""

import asyncio
import statistics
import time
from uuid import uuid4

from sqlalchemy import text

from app.core.config import load_settings
from app.db.pagination import Cursors
from app.db.session import Database
from app.models.user import User
from app.schemas.item import ItemQuery
from app.services.item_service import ItemReader

ROWS, PAGE, LIMIT, ROUNDS = 1_000_000, 5_000, 20, 300
FILL = text(
    "INSERT INTO items (id, owner_id, title, created_at) "
    "SELECT gen_random_uuid(), :owner, 'item ' || n, now() - n * interval '1 second' FROM generate_series(1, :rows) n"
)
PLAN = text(
    "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id, title FROM items WHERE owner_id = :owner "
    "AND (created_at, id) < (now() - interval '100000 seconds', gen_random_uuid()) "
    "ORDER BY created_at DESC, id DESC LIMIT 21"
)


async def read(database: Database, owner: User, cursors: Cursors, cursor: str | None) -> float:
    """Read a page; give the milliseconds."""
    session = database.reader()
    started = time.perf_counter()
    await ItemReader(session, owner.id, cursors).list(ItemQuery(limit=LIMIT, cursor=cursor))
    return (time.perf_counter() - started) * 1000


async def main() -> None:
    """Fill, compare, show the plan, delete."""
    settings = load_settings().model_copy(update={"database_statement_timeout_seconds": 300.0})
    database = Database(settings)
    owner = User(email=f"{uuid4()}@example.com", hashed_password="x")
    async with database.unit_of_work() as session:
        session.add(owner)
        await session.flush()
        await session.execute(FILL, {"owner": owner.id, "rows": ROWS})
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("VACUUM ANALYZE items")
    cursors = Cursors.from_settings(settings)
    scope = f"items {owner.id} -created_at {{}}"
    reader = database.reader()
    skip = text("SELECT created_at, id FROM items WHERE owner_id = :owner ORDER BY 1 DESC, 2 DESC OFFSET :n LIMIT 1")
    row = (await reader.execute(skip, {"owner": owner.id, "n": (PAGE - 1) * LIMIT - 1})).one()
    deep = cursors.write(scope, row[0], row[1])
    times: dict[str, list[float]] = {"page 1": [], f"page {PAGE}": []}
    for _ in range(ROUNDS):
        for taken, cursor in zip(times.values(), (None, deep), strict=True):
            taken.append(await read(database, owner, cursors, cursor))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(", ".join(f"{name}: {value:.3f} ms" for name, value in medians.items()))
    first, last = medians.values()
    print(f"ratio {last / first:.2f}")
    async with database.unit_of_work() as session:
        print("\n".join(await session.scalars(PLAN, {"owner": owner.id})))
        await session.execute(text("DELETE FROM users WHERE id = :owner"), {"owner": owner.id})
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(main())
