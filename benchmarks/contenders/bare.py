"""Bare: FastAPI on asyncpg, with request and response models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from benchmarks.contenders.common import DSN, POOL_SIZE, verify

COLUMNS = "id, owner_id, title, description, created_at, updated_at"


class NoteWrite(BaseModel):
    """A request body."""

    title: str


class NoteRead(BaseModel):
    """A response."""

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime


class NotePage(BaseModel):
    """A page."""

    items: list[NoteRead]
    next_cursor: str | None = None


async def current_user(authorization: Annotated[str, Header()]) -> UUID:
    """Return the account of the token."""
    owner = verify(authorization)
    if owner is None:
        raise HTTPException(401)
    return owner


Owner = Annotated[UUID, Depends(current_user)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open the pool."""
    async with asyncpg.create_pool(DSN, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
        yield {"pool": pool}


app = FastAPI(lifespan=lifespan)


@app.get("/health/live")
async def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.get("/api/v1/notes/{note_id}")
async def read_note(request: Request, owner: Owner, note_id: UUID) -> NoteRead:
    """Read one."""
    statement = f"SELECT {COLUMNS} FROM notes WHERE id = $1 AND owner_id = $2"
    return NoteRead(**await request.state.pool.fetchrow(statement, note_id, owner))


@app.get("/api/v1/notes")
async def list_notes(request: Request, owner: Owner, limit: int = 20) -> NotePage:
    """List the newest."""
    statement = f"SELECT {COLUMNS} FROM notes WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
    rows = await request.state.pool.fetch(statement, owner, limit + 1)
    return NotePage(items=[NoteRead(**row) for row in rows[:limit]])


@app.post("/api/v1/notes", status_code=201)
async def create_note(request: Request, owner: Owner, data: NoteWrite) -> NoteRead:
    """Create one."""
    statement = f"INSERT INTO notes (id, owner_id, title) VALUES ($1, $2, $3) RETURNING {COLUMNS}"
    return NoteRead(**await request.state.pool.fetchrow(statement, uuid7(), owner, data.title))


@app.patch("/api/v1/notes/{note_id}")
async def change_note(request: Request, owner: Owner, note_id: UUID, data: NoteWrite) -> NoteRead:
    """Change one."""
    statement = f"UPDATE notes SET title = $3, updated_at = now() WHERE id = $1 AND owner_id = $2 RETURNING {COLUMNS}"
    return NoteRead(**await request.state.pool.fetchrow(statement, note_id, owner, data.title))
