"""The usual: as tutorials write it. A session and a user query a request, entities, pre-ping, BaseHTTPMiddleware."""

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

from app.models.item import Item
from app.models.user import User
from benchmarks.contenders.common import DSN, POOL_SIZE, verify

engine = create_async_engine(
    DSN.replace("postgresql://", "postgresql+asyncpg://"), pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token")
app = FastAPI()


class ItemWrite(BaseModel):
    """What goes in."""

    title: str


class ItemRead(BaseModel):
    """What goes out."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner_id: UUID
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime


class ItemPage(BaseModel):
    """A page."""

    model_config = ConfigDict(from_attributes=True)

    items: list[ItemRead]
    next_cursor: str | None = None


class TimingMiddleware(BaseHTTPMiddleware):
    """Adds the time to the answer."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Measure."""
        started = time.perf_counter()
        response = await call_next(request)
        response.headers["X-Process-Time"] = str(time.perf_counter() - started)
        return response


class HeadersMiddleware(BaseHTTPMiddleware):
    """Adds security headers to the answer."""

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
    """Look the user up."""
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


@app.get("/api/v1/items/{item_id}", response_model=ItemRead)
async def read_item(session: Session, user: CurrentUser, item_id: UUID) -> Item:
    """Read one."""
    item = (await session.execute(select(Item).where(Item.id == item_id))).scalar_one_or_none()
    if item is None or item.owner_id != user.id:
        raise HTTPException(404)
    return item


@app.get("/api/v1/items", response_model=ItemPage)
async def list_items(session: Session, user: CurrentUser, limit: int = 20) -> dict[str, object]:
    """List the newest."""
    statement = select(Item).where(Item.owner_id == user.id).order_by(Item.created_at.desc(), Item.id.desc())
    items = (await session.execute(statement.limit(limit))).scalars().all()
    return {"items": items}


@app.post("/api/v1/items", status_code=201, response_model=ItemRead)
async def create_item(session: Session, user: CurrentUser, data: ItemWrite) -> Item:
    """Create one."""
    item = Item(owner_id=user.id, **data.model_dump())
    session.add(item)
    await session.commit()
    await session.refresh(item)
    return item


@app.patch("/api/v1/items/{item_id}", response_model=ItemRead)
async def change_item(session: Session, user: CurrentUser, item_id: UUID, data: ItemWrite) -> Item:
    """Change one."""
    item = (await session.execute(select(Item).where(Item.id == item_id))).scalar_one_or_none()
    if item is None or item.owner_id != user.id:
        raise HTTPException(404)
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    await session.commit()
    await session.refresh(item)
    return item
