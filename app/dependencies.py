"""Everything that a handler may ask for, and the only place where services are put together for the web."""

from collections.abc import AsyncIterator
from typing import Annotated, TypedDict
from uuid import UUID

from fastapi import Depends, Form, Path, Query, Request
from fastapi.security import OAuth2PasswordBearer

from app.core.config import Settings
from app.core.exceptions import ForbiddenError
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.security import AccessTokens
from app.core.security_log import SecurityEvent, record
from app.db.pagination import Cursors
from app.db.session import Database, Reader, Writer
from app.schemas.item import ItemQuery
from app.schemas.job import JobQuery
from app.schemas.page import PageQuery
from app.schemas.token import TokenRequest, TokenRevocation
from app.services.account_service import AccountService, RecoveryService
from app.services.auth_service import AuthService
from app.services.health_service import HealthService
from app.services.item_service import ItemReader, ItemService
from app.services.job_service import JobReader, JobService
from app.services.password_check import PasswordCheck
from app.services.principal import Authenticator, Client, Principal
from app.services.session_service import SessionKeeper, SessionReader, SessionService
from app.services.user_service import (
    RegistrationService,
    UserAdminReader,
    UserAdminService,
    UserReader,
    UserService,
)

LONGEST_USER_AGENT = 400
bearer = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    refreshUrl="/api/v1/auth/token",
    description="The access token that `POST /api/v1/auth/token` grants.",
    auto_error=False,
)


class State(TypedDict):
    """What lives as long as the process; the lifespan yields it."""

    settings: Settings
    database: Database
    passwords: PasswordHasher
    access_tokens: AccessTokens
    cursors: Cursors
    limiter: RateLimiter


async def _state(request: Request) -> State:
    return request.scope["state"]  # type: ignore[no-any-return]  # ASGI does not type it


ProcessState = Annotated[State, Depends(_state)]
"""What the lifespan made."""


# Sessions of the database. Their scope is essential: without it the commit comes after the response was sent.


async def _writer(state: ProcessState) -> AsyncIterator[Writer]:
    async with state["database"].unit_of_work() as session:
        yield session


async def _reader(state: ProcessState) -> AsyncIterator[Reader]:
    async with state["database"].reader() as session:
        yield session


WriterSession = Annotated[Writer, Depends(_writer, scope="function")]
"""The unit of work: committed after the response is serialised and before it is sent."""
ReaderSession = Annotated[Reader, Depends(_reader, scope="function")]
"""A session for reading."""


# Who is asking


async def _principal(state: ProcessState, token: Annotated[str | None, Depends(bearer)]) -> Principal:
    return await Authenticator(state["database"], state["access_tokens"]).authenticate(token)


async def _client(request: Request) -> Client:
    user_agent = request.headers.get("user-agent", "").replace("\0", "")[:LONGEST_USER_AGENT]
    return Client(request.client.host if request.client else None, user_agent or None)


CurrentUser = Annotated[Principal, Depends(_principal)]
"""Whoever the access token speaks for."""
RequestClient = Annotated[Client, Depends(_client)]
"""Where the request comes from; a proxy's word only where that proxy is trusted."""


async def _administrator(user: CurrentUser) -> Principal:
    if not user.is_admin:
        record(SecurityEvent.ACCESS_DENIED, user_id=user.user_id)
        raise ForbiddenError
    return user


Administrator = Annotated[Principal, Depends(_administrator)]
"""The caller, who is an administrator."""


# Services


async def _password_check(state: ProcessState, client: RequestClient) -> PasswordCheck:
    return PasswordCheck(state["database"], state["passwords"], state["limiter"], client)


Check = Annotated[PasswordCheck, Depends(_password_check)]
"""Checks passwords, at a bounded rate."""


async def _auth(session: WriterSession, check: Check, state: ProcessState, client: RequestClient) -> AuthService:
    keeper = SessionKeeper(session, state["settings"])
    return AuthService(session, keeper, check, state["access_tokens"], client)


async def _session_reader(user: CurrentUser, session: ReaderSession) -> SessionReader:
    return SessionReader(session, user)


async def _sessions(user: CurrentUser, session: WriterSession) -> SessionService:
    return SessionService(session, user)


async def _account(user: CurrentUser, session: WriterSession, check: Check, state: ProcessState) -> AccountService:
    return AccountService(session, user, check, state["passwords"])


async def _recovery(session: WriterSession, state: ProcessState) -> RecoveryService:
    return RecoveryService(session, state["database"], state["passwords"])


async def _registration(session: WriterSession, state: ProcessState) -> RegistrationService:
    return RegistrationService(session, state["passwords"])


async def _user_reader(user: CurrentUser, session: ReaderSession) -> UserReader:
    return UserReader(session, user)


async def _users(user: CurrentUser, session: WriterSession, check: Check) -> UserService:
    return UserService(session, user, check)


async def _user_list(_: Administrator, session: ReaderSession, state: ProcessState) -> UserAdminReader:
    return UserAdminReader(session, state["cursors"])


async def _user_admin(_: Administrator, session: WriterSession) -> UserAdminService:
    return UserAdminService(session)


async def _item_reader(user: CurrentUser, session: ReaderSession, state: ProcessState) -> ItemReader:
    return ItemReader(session, user.user_id, state["cursors"])


async def _items(user: CurrentUser, session: WriterSession, state: ProcessState) -> ItemService:
    return ItemService(session, user.user_id, state["cursors"])


async def _job_reader(_: Administrator, session: ReaderSession, state: ProcessState) -> JobReader:
    return JobReader(session, state["cursors"])


async def _jobs(_: Administrator, session: WriterSession) -> JobService:
    return JobService(session)


async def _health(state: ProcessState) -> HealthService:
    return HealthService(state["database"])


Auth = Annotated[AuthService, Depends(_auth)]
"""Grants and revokes tokens."""
SessionsRead = Annotated[SessionReader, Depends(_session_reader)]
"""Lists the caller's sessions."""
Sessions = Annotated[SessionService, Depends(_sessions)]
"""Revokes the caller's sessions."""
Account = Annotated[AccountService, Depends(_account)]
"""Changes of the caller's account that ask for the password."""
Recovery = Annotated[RecoveryService, Depends(_recovery)]
"""Acts on links from mails."""
Registration = Annotated[RegistrationService, Depends(_registration)]
"""Makes accounts."""
UsersRead = Annotated[UserReader, Depends(_user_reader)]
"""Reads accounts that the caller may see."""
Users = Annotated[UserService, Depends(_users)]
"""Changes the caller's account."""
UserList = Annotated[UserAdminReader, Depends(_user_list)]
"""Lists accounts, for administrators."""
UserAdmin = Annotated[UserAdminService, Depends(_user_admin)]
"""Changes and deletes accounts, for administrators."""
ItemsRead = Annotated[ItemReader, Depends(_item_reader)]
"""Reads the caller's items."""
Items = Annotated[ItemService, Depends(_items)]
"""Changes the caller's items."""
JobsRead = Annotated[JobReader, Depends(_job_reader)]
"""Lists jobs, for administrators."""
Jobs = Annotated[JobService, Depends(_jobs)]
"""Requeues and cancels jobs, for administrators."""
Health = Annotated[HealthService, Depends(_health)]
"""Checks the parts that the process needs."""


# Input

TokenForm = Annotated[TokenRequest, Form()]
"""The form of a token request."""
RevocationForm = Annotated[TokenRevocation, Form()]
"""The form of a revocation."""
Paging = Annotated[PageQuery, Query()]
"""Which page of a list."""
ItemFilter = Annotated[ItemQuery, Query()]
"""Which items, in which order."""
JobFilter = Annotated[JobQuery, Query()]
"""Which jobs."""
UserId = Annotated[UUID, Path(description="The id of an account.")]
"""An account in the path."""
SessionId = Annotated[UUID, Path(description="The id of a session.")]
"""A session in the path."""
ItemId = Annotated[UUID, Path(description="The id of an item.")]
"""An item in the path."""
JobIdPath = Annotated[int, Path(description="The id of a job.", ge=1, le=2**63 - 1)]
"""A job in the path."""
