"""The limit: Starlette, asyncpg and orjson; the token is verified, and nothing else happens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from benchmarks.contenders.common import DSN, POOL_SIZE, verify

COLUMNS = "id, owner_id, title, description, created_at, updated_at"


def answer(content: Any, status: int = 200) -> Response:  # noqa: ANN401  JSON
    """Serialise."""
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")


async def health(_: Request) -> Response:
    """Answer."""
    return answer({"status": "ok"})


async def read_note(request: Request) -> Response:
    """Read one."""
    owner = verify(request.headers["authorization"])
    note = UUID(request.path_params["id"])
    statement = f"SELECT {COLUMNS} FROM notes WHERE id = $1 AND owner_id = $2"
    row = await request.state.pool.fetchrow(statement, note, owner)
    return answer(dict(row))


async def list_notes(request: Request) -> Response:
    """List the newest."""
    owner, limit = verify(request.headers["authorization"]), int(request.query_params["limit"])
    statement = f"SELECT {COLUMNS} FROM notes WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
    rows = await request.state.pool.fetch(statement, owner, limit + 1)
    return answer({"items": [dict(row) for row in rows[:limit]], "next_cursor": None})


async def create_note(request: Request) -> Response:
    """Create one."""
    owner, data = verify(request.headers["authorization"]), orjson.loads(await request.body())
    statement = f"INSERT INTO notes (id, owner_id, title) VALUES ($1, $2, $3) RETURNING {COLUMNS}"
    row = await request.state.pool.fetchrow(statement, UUID(int=uuid7().int), owner, data["title"])
    return answer(dict(row), 201)


async def change_note(request: Request) -> Response:
    """Change one."""
    owner, data = verify(request.headers["authorization"]), orjson.loads(await request.body())
    statement = f"UPDATE notes SET title = $3, updated_at = now() WHERE id = $1 AND owner_id = $2 RETURNING {COLUMNS}"
    row = await request.state.pool.fetchrow(statement, UUID(request.path_params["id"]), owner, data["title"])
    return answer(dict(row))


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
    """Open the pool."""
    async with asyncpg.create_pool(DSN, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        yield {"pool": pool}


app = Starlette(
    routes=[
        Route("/health/live", health),
        Route("/api/v1/notes", list_notes),
        Route("/api/v1/notes", create_note, methods=["POST"]),
        Route("/api/v1/notes/{id}", read_note),
        Route("/api/v1/notes/{id}", change_note, methods=["PATCH"]),
    ],
    lifespan=lifespan,
)
