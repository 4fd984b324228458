"""Everything that a handler may ask for, and the only place where services are put together for the web."""

from collections.abc import AsyncIterator
from typing import Annotated, TypedDict
from uuid import UUID

from fastapi import Depends, Form, Path, Query, Request
from fastapi.security import OAuth2PasswordBearer

from app.core.config import Settings
from app.core.exceptions import ForbiddenError
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens
from app.db.pagination import Cursors
from app.db.session import Database, Reader, Writer
from app.schemas.item import ItemQuery
from app.schemas.job import JobQuery
from app.schemas.page import PageQuery
from app.schemas.token import TokenRequest
from app.services.auth_service import Authenticator, AuthService, Principal
from app.services.health_service import HealthService
from app.services.item_service import ItemReader, ItemService
from app.services.job_service import JobReader, JobService
from app.services.user_service import (
    RegistrationService,
    UserAdminReader,
    UserAdminService,
    UserReader,
    UserService,
)


class State(TypedDict):
    """What lives as long as the process; the lifespan yields it."""

    settings: Settings
    database: Database
    passwords: PasswordHasher
    access_tokens: AccessTokens
    cursors: Cursors


bearer = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    description="The access token that `POST /api/v1/auth/token` grants.",
    auto_error=False,
)


async def get_state(request: Request) -> State:
    """Give what the lifespan made."""
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it


ProcessState = Annotated[State, Depends(get_state)]


# Sessions


async def get_writer(state: ProcessState) -> AsyncIterator[Writer]:
    """Hold the unit of work of this request."""
    async with state["database"].unit_of_work() as session:
        yield session


async def get_reader(state: ProcessState) -> AsyncIterator[Reader]:
    """Hold a session that only reads."""
    async with state["database"].reader() as session:
        yield session


# The scope is essential: without it the commit comes after the response has been sent, and cannot fail it.
WriterSession = Annotated[Writer, Depends(get_writer, scope="function")]
"""The unit of work: committed after the response is serialised and before it is sent."""
ReaderSession = Annotated[Reader, Depends(get_reader, scope="function")]
"""A session for reading."""


# Who is asking


async def get_principal(state: ProcessState, token: Annotated[str | None, Depends(bearer)]) -> Principal:
    """Authenticate the bearer."""
    return await Authenticator(state["database"], state["access_tokens"]).authenticate(token)


CurrentUser = Annotated[Principal, Depends(get_principal)]
"""Whoever the access token speaks for."""


async def get_administrator(user: CurrentUser) -> Principal:
    """Refuse whoever is no administrator."""
    if not user.is_admin:
        raise ForbiddenError
    return user


Administrator = Annotated[Principal, Depends(get_administrator)]
"""The caller, who is an administrator."""


# Services


async def get_auth(session: WriterSession, state: ProcessState) -> AuthService:
    """Build the service that grants tokens."""
    return AuthService(session, state["database"], state["passwords"], state["access_tokens"])


async def get_registration(session: WriterSession, state: ProcessState) -> RegistrationService:
    """Build the service that makes accounts."""
    return RegistrationService(session, state["passwords"])


async def get_user_reader(user: CurrentUser, session: ReaderSession) -> UserReader:
    """Build the service that reads accounts."""
    return UserReader(session, user)


async def get_users(user: CurrentUser, session: WriterSession) -> UserService:
    """Build the service that changes one's own account."""
    return UserService(session, user)


async def get_user_list(_: Administrator, session: ReaderSession, state: ProcessState) -> UserAdminReader:
    """Build the service that lists accounts."""
    return UserAdminReader(session, state["cursors"])


async def get_user_admin(_: Administrator, session: WriterSession) -> UserAdminService:
    """Build the service that changes and deletes accounts."""
    return UserAdminService(session)


async def get_item_reader(user: CurrentUser, session: ReaderSession, state: ProcessState) -> ItemReader:
    """Build the service that reads items."""
    return ItemReader(session, user.user_id, state["cursors"])


async def get_items(user: CurrentUser, session: WriterSession, state: ProcessState) -> ItemService:
    """Build the service that changes items."""
    return ItemService(session, user.user_id, state["cursors"])


async def get_job_reader(_: Administrator, session: ReaderSession, state: ProcessState) -> JobReader:
    """Build the service that lists jobs."""
    return JobReader(session, state["cursors"])


async def get_jobs(_: Administrator, session: WriterSession) -> JobService:
    """Build the service that looks after jobs."""
    return JobService(session)


async def get_health(state: ProcessState) -> HealthService:
    """Build the service that looks after the parts."""
    return HealthService(state["database"])


Auth = Annotated[AuthService, Depends(get_auth)]
"""Grants tokens."""
Registration = Annotated[RegistrationService, Depends(get_registration)]
"""Makes accounts."""
UsersRead = Annotated[UserReader, Depends(get_user_reader)]
"""Reads accounts that the caller may see."""
Users = Annotated[UserService, Depends(get_users)]
"""Changes the caller's account."""
UserList = Annotated[UserAdminReader, Depends(get_user_list)]
"""Lists accounts, for administrators."""
UserAdmin = Annotated[UserAdminService, Depends(get_user_admin)]
"""Changes and deletes accounts, for administrators."""
ItemsRead = Annotated[ItemReader, Depends(get_item_reader)]
"""Reads the caller's items."""
Items = Annotated[ItemService, Depends(get_items)]
"""Changes the caller's items."""
JobsRead = Annotated[JobReader, Depends(get_job_reader)]
"""Lists jobs, for administrators."""
Jobs = Annotated[JobService, Depends(get_jobs)]
"""Requeues and cancels jobs, for administrators."""
Health = Annotated[HealthService, Depends(get_health)]
"""Checks the parts that the process needs."""


# Input

TokenForm = Annotated[TokenRequest, Form()]
"""The form of a token request."""
Paging = Annotated[PageQuery, Query()]
"""Which page of a list."""
ItemFilter = Annotated[ItemQuery, Query()]
"""Which items, in which order."""
JobFilter = Annotated[JobQuery, Query()]
"""Which jobs."""
JobIdPath = Annotated[int, Path(description="The id of a job.", ge=1, le=2**63 - 1)]
"""A job in the path."""
UserId = Annotated[UUID, Path(description="The id of an account.")]
"""An account in the path."""
ItemId = Annotated[UUID, Path(description="The id of an item.")]
"""An item in the path."""
