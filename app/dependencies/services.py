"""The services, put together for one request."""

from typing import Annotated

from fastapi import Depends

from app.core.exceptions import NotFoundError
from app.dependencies.caller import Administrator, CurrentUser, RequestClient
from app.dependencies.process import ProcessState, ReaderSession, WriterSession
from app.services.account_service import AccountService, RecoveryService
from app.services.auth_service import AuthService
from app.services.health_service import HealthService
from app.services.item_service import ItemReader, ItemService
from app.services.job_service import JobReader, JobService
from app.services.metrics_service import MetricsService
from app.services.password_check import PasswordCheck
from app.services.session_service import SessionKeeper, SessionReader, SessionService
from app.services.user_service import (
    RegistrationService,
    UserAdminReader,
    UserAdminService,
    UserReader,
    UserService,
)


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
    return RecoveryService(session, state["database"], state["passwords"], state["limiter"])


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
    return state["health"]


async def _scrape(state: ProcessState, client: RequestClient) -> MetricsService:
    if not state["settings"].shows_metrics_to(client.ip_address):
        raise NotFoundError
    return state["metrics"]


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
Scrape = Annotated[MetricsService, Depends(_scrape)]
"""Tells what is measured, to those who may know."""
Health = Annotated[HealthService, Depends(_health)]
"""Checks the parts that the process needs."""
