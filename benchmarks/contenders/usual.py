"""What tutorials show: a session and a user query for each request, entities, pre-ping, BaseHTTPMiddleware."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.middleware.base import BaseHTTPMiddleware

from app.models.user import User
from benchmarks.contenders.common import DSN, POOL_SIZE, verify
from tests.notes.model import Note

engine = create_async_engine(
    DSN.replace("postgresql://", "postgresql+asyncpg://"), pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token")
app = FastAPI()


class NoteWrite(BaseModel):
    """A request body."""

    title: str


class NoteRead(BaseModel):
    """A response."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime


class NotePage(BaseModel):
    """A page."""

    model_config = ConfigDict(from_attributes=True)

    items: list[NoteRead]
    next_cursor: str | None = None


class TimingMiddleware(BaseHTTPMiddleware):
    """Adds the duration to the response."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Measure."""
        started = time.perf_counter()
        response = await call_next(request)
        response.headers["X-Process-Time"] = str(time.perf_counter() - started)
        return response


class HeadersMiddleware(BaseHTTPMiddleware):
    """Adds security headers to the response."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Add."""
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


app.add_middleware(TimingMiddleware)
app.add_middleware(HeadersMiddleware)


async def get_session() -> AsyncIterator[AsyncSession]:
    """Open a session for the request."""
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(session: Session, token: Annotated[str, Depends(bearer)]) -> User:
    """Look up the user."""
    user_id = verify(token)
    user = (await session.execute(select(User).where(User.id == user_id))).scalar_one_or_none()
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@app.get("/health/live")
async def health() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.get("/api/v1/notes/{note_id}", response_model=NoteRead)
async def read_note(session: Session, user: CurrentUser, note_id: UUID) -> Note:
    """Read one."""
    note = (await session.execute(select(Note).where(Note.id == note_id))).scalar_one_or_none()
    if note is None or note.owner_id != user.id:
        raise HTTPException(404)
    return note


@app.get("/api/v1/notes", response_model=NotePage)
async def list_notes(session: Session, user: CurrentUser, limit: int = 20) -> dict[str, object]:
    """List the newest."""
    statement = select(Note).where(Note.owner_id == user.id).order_by(Note.created_at.desc(), Note.id.desc())
    notes = (await session.execute(statement.limit(limit))).scalars().all()
    return {"items": notes}


@app.post("/api/v1/notes", status_code=201, response_model=NoteRead)
async def create_note(session: Session, user: CurrentUser, data: NoteWrite) -> Note:
    """Create one."""
    note = Note(owner_id=user.id, **data.model_dump())
    session.add(note)
    await session.commit()
    await session.refresh(note)
    return note


@app.patch("/api/v1/notes/{note_id}", response_model=NoteRead)
async def change_note(session: Session, user: CurrentUser, note_id: UUID, data: NoteWrite) -> Note:
    """Change one."""
    note = (await session.execute(select(Note).where(Note.id == note_id))).scalar_one_or_none()
    if note is None or note.owner_id != user.id:
        raise HTTPException(404)
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(note, name, value)
    await session.commit()
    await session.refresh(note)
    return note
