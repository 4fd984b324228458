"""The services, put together for one request."""

from typing import Annotated

from fastapi import Depends, Request

from app.dependencies.caller import Administrator, CurrentUser, RequestClient
from app.dependencies.process import state_of, writer_of
from app.services.account_service import AccountService, RecoveryService
from app.services.auth_service import AuthService
from app.services.item_service import ItemReader, ItemService
from app.services.job_service import JobReader, JobService
from app.services.password_check import PasswordCheck
from app.services.registration_service import RegistrationService
from app.services.session_service import SessionKeeper, SessionReader, SessionService
from app.services.user_service import (
    UserAdminReader,
    UserAdminService,
    UserReader,
    UserService,
)


async def _password_check(request: Request, client: RequestClient) -> PasswordCheck:
    state = state_of(request)
    return PasswordCheck(state["database"], state["passwords"], state["limiter"], client, state["settings"])


Check = Annotated[PasswordCheck, Depends(_password_check)]
"""Checks passwords, at a bounded rate."""


async def _auth(request: Request, check: Check, client: RequestClient) -> AuthService:
    state = state_of(request)
    session = await writer_of(request)
    keeper = SessionKeeper(session, state["settings"])
    return AuthService(session, keeper, check, state["access_tokens"], client)


async def _session_reader(request: Request, user: CurrentUser) -> SessionReader:
    return SessionReader(state_of(request)["database"].reader(), user)


async def _sessions(request: Request, user: CurrentUser) -> SessionService:
    return SessionService(await writer_of(request), user)


async def _account(request: Request, user: CurrentUser, check: Check) -> AccountService:
    state = state_of(request)
    return AccountService(await writer_of(request), user, check, state["passwords"], state["settings"])


async def _recovery(request: Request, check: Check) -> RecoveryService:
    state = state_of(request)
    return RecoveryService(await writer_of(request), state["database"], state["passwords"], check)


async def _registration(request: Request) -> RegistrationService:
    state = state_of(request)
    return RegistrationService(await writer_of(request), state["passwords"], state["settings"], state["limiter"])


async def _user_reader(request: Request, user: CurrentUser) -> UserReader:
    return UserReader(state_of(request)["database"].reader(), user)


async def _users(request: Request, user: CurrentUser, check: Check) -> UserService:
    return UserService(await writer_of(request), user, check)


async def _user_list(request: Request, administrator: Administrator) -> UserAdminReader:
    state = state_of(request)
    return UserAdminReader(state["database"].reader(), state["cursors"], administrator)


async def _user_admin(request: Request, administrator: Administrator) -> UserAdminService:
    return UserAdminService(await writer_of(request), administrator)


async def _item_reader(request: Request, user: CurrentUser) -> ItemReader:
    state = state_of(request)
    return ItemReader(state["database"].reader(), user.user_id, state["cursors"])


async def _items(request: Request, user: CurrentUser) -> ItemService:
    return ItemService(await writer_of(request), user.user_id, state_of(request)["cursors"])


async def _job_reader(request: Request, _: Administrator) -> JobReader:
    state = state_of(request)
    return JobReader(state["database"].reader(), state["cursors"])


async def _jobs(request: Request, administrator: Administrator) -> JobService:
    return JobService(await writer_of(request), administrator)


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
