"""The services, put together for one request."""

from typing import Annotated

from fastapi import Depends, Request

from app.dependencies.caller import Administrator, CurrentUser, RequestClient
from app.dependencies.process import Db, ReplicaDb, state_of
from app.services.account_service import AccountService, RecoveryService
from app.services.auth_service import AuthService
from app.services.item_service import ItemService
from app.services.job_service import JobService
from app.services.password_check import PasswordCheck
from app.services.registration_service import RegistrationService
from app.services.session_service import SessionKeeper, SessionService
from app.services.user_service import UserAdminService, UserService


async def _password_check(request: Request, client: RequestClient) -> PasswordCheck:
    state = state_of(request)
    return PasswordCheck(state["database"], state["passwords"], state["limiter"], client, state["settings"])


Check = Annotated[PasswordCheck, Depends(_password_check)]
"""Checks passwords, at a bounded rate."""


async def _auth(request: Request, db: Db, check: Check, client: RequestClient) -> AuthService:
    state = state_of(request)
    return AuthService(db, SessionKeeper(db, state["settings"]), check, state["access_tokens"], client)


async def _sessions(db: Db, user: CurrentUser) -> SessionService:
    return SessionService(db, user)


async def _account(request: Request, db: Db, user: CurrentUser, check: Check) -> AccountService:
    state = state_of(request)
    return AccountService(db, user, check, state["passwords"], state["settings"])


async def _recovery(request: Request, db: Db, check: Check) -> RecoveryService:
    state = state_of(request)
    return RecoveryService(db, state["database"], state["passwords"], check)


async def _registration(request: Request, db: Db) -> RegistrationService:
    state = state_of(request)
    return RegistrationService(db, state["passwords"], state["settings"], state["limiter"])


async def _users(db: Db, user: CurrentUser, check: Check) -> UserService:
    return UserService(db, user, check)


async def _user_admin(db: Db, administrator: Administrator) -> UserAdminService:
    return UserAdminService(db, administrator)


async def _user_list(db: ReplicaDb, administrator: Administrator) -> UserAdminService:
    return UserAdminService(db, administrator)


async def get_items(db: Db, user: CurrentUser) -> ItemService:
    """Return the items of the caller."""
    return ItemService(db, user.user_id)


async def _jobs(db: Db, administrator: Administrator) -> JobService:
    return JobService(db, administrator)


Auth = Annotated[AuthService, Depends(_auth)]
"""Grants and revokes tokens."""
Sessions = Annotated[SessionService, Depends(_sessions)]
"""Lists and revokes the caller's sessions."""
Account = Annotated[AccountService, Depends(_account)]
"""Changes of the caller's account that ask for the password."""
Recovery = Annotated[RecoveryService, Depends(_recovery)]
"""Acts on links from mails."""
Registration = Annotated[RegistrationService, Depends(_registration)]
"""Makes accounts."""
Users = Annotated[UserService, Depends(_users)]
"""Reads and changes accounts, for their owners."""
UserList = Annotated[UserAdminService, Depends(_user_list)]
"""Lists accounts, for administrators; as old as the replica is."""
UserAdmin = Annotated[UserAdminService, Depends(_user_admin)]
"""Changes and deletes accounts, for administrators."""
Items = Annotated[ItemService, Depends(get_items)]
"""The caller's items."""
Jobs = Annotated[JobService, Depends(_jobs)]
"""Lists, requeues and cancels jobs, for administrators."""
