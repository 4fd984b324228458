"""Shared dependencies: database sessions, access levels, rate limits, and services of more than one router.

A service of one router is provided in the module of that router.
"""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from ipaddress import ip_address
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from fastapi.params import Depends as Dependency
from fastapi.security import OAuth2PasswordBearer

from app.browser.origin import READING
from app.browser.session import find_api_user
from app.core.exceptions import ForbiddenError
from app.core.refusals import EmailNotVerifiedError
from app.db.session import Session
from app.observability.security_log import SecurityEvent, record
from app.ratelimit.counters import Limit
from app.schemas.page import PageQuery
from app.schemas.user import UserQuery
from app.services.account_service import AccountService
from app.services.live_sessions import authenticate
from app.services.password_check import PasswordCheck
from app.services.principal import Client, Principal
from app.services.user_service import UserAdminService, UserService
from app.state import state_of

LONGEST_USER_AGENT = 400
HOUR = 3600


async def get_db(request: Request) -> Session:
    """Return the session of the request: read-only for GET and HEAD, the unit of work for every other method.

    The unit of work is committed after the response is serialised and before it is sent. A dependency with `yield` and
    `scope="function"` does the same, on the same exit stack, but its cancel scopes take the CPU of a whole statement.
    Without that scope the commit would come after the response.
    """
    database = state_of(request)["database"]
    scope = database.read_only() if request.method in READING else database.unit_of_work()
    return await _enter(request, scope)


async def get_replica_db(request: Request) -> Session:
    """Return a read-only session on the replica, if there is one; its data may be some seconds old."""
    return await _enter(request, state_of(request)["database"].read_only(replica=True))


async def _enter(request: Request, scope: AbstractAsyncContextManager[Session]) -> Session:
    function_scope: AsyncExitStack = request.scope["fastapi_function_astack"]
    return await function_scope.enter_async_context(scope)


Db = Annotated[Session, Depends(get_db)]
"""The database session of the request."""
ReplicaDb = Annotated[Session, Depends(get_replica_db)]
"""A read-only session on the replica, whose data may be some seconds old. Never use it to decide on access."""


# Access levels: each operation names one, in its signature or with its router.


class _Bearer(OAuth2PasswordBearer):
    """Authenticates the caller by access token or cookie, in one dependency, because each one takes time."""

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]  # the parent returns the token
        token = await super().__call__(request)
        if token is None and (user := await find_api_user(request)) is not None:
            return user
        state = state_of(request)
        return await authenticate(token, state["access_tokens"], state["sessions"])


current_user = _Bearer(
    tokenUrl="/api/v1/auth/token",
    refreshUrl="/api/v1/auth/token",
    description="The access token that `POST /api/v1/auth/token` grants.",
    scheme_name="OAuth2PasswordBearer",
    auto_error=False,
)


async def public() -> None:
    """Let anyone call the operation."""


async def optional_user(request: Request) -> Principal | None:
    """Return the caller, or None for an anonymous request; a token that is not valid is refused."""
    request.scope["state"]["varies_by_caller"] = True
    return await current_user(request) if "authorization" in request.headers else await find_api_user(request)


async def verified_user(user: Annotated[Principal, Depends(current_user)]) -> Principal:
    """Return the caller, or raise EmailNotVerifiedError."""
    if not user.is_verified:
        raise EmailNotVerifiedError
    return user


async def administrator(user: Annotated[Principal, Depends(current_user)]) -> Principal:
    """Return the caller, or raise ForbiddenError unless they are an administrator."""
    if not user.is_admin:
        record(SecurityEvent.ACCESS_DENIED, user_id=user.user_id)
        raise ForbiddenError
    return user


Public = Depends(public)
"""Anyone. Has no value: `dependencies=[Public]`."""
OptionalUser = Annotated[Principal | None, Depends(optional_user)]
"""Anyone; the caller where there is a token, else None."""
CurrentUser = Annotated[Principal, Depends(current_user)]
"""The caller, who is logged in."""
VerifiedUser = Annotated[Principal, Depends(verified_user)]
"""The caller, whose e-mail address is verified."""
Administrator = Annotated[Principal, Depends(administrator)]
"""The caller, who is an administrator."""


async def get_client(request: Request) -> Client:
    """Return the address and the user agent of the client. Only trusted proxies may name another address."""
    user_agent = request.headers.get("user-agent", "").replace("\0", "")[:LONGEST_USER_AGENT]
    try:
        # Without the scope of an IPv6 address, which is any text.
        address = str(ip_address(request.client.host.partition("%")[0])) if request.client else None
    except ValueError:  # A trusted proxy has sent something else.
        address = None
    return Client(address, user_agent or None)


def limited(name: str, amount: int, seconds: int, *, by: Literal["caller", "address"] = "caller") -> Dependency:
    """Allow `amount` calls in any `seconds`: `dependencies=[limited("registrations", 20, HOUR, by="address")]`.

    Limits by caller authenticate first: calls with a revoked token do not count for its account. Operations that need
    no token count by address. Otherwise each new account would have a new allowance.
    """
    limit = Limit(name, amount, seconds)

    async def count_caller(request: Request, user: CurrentUser) -> None:
        await state_of(request)["limiter"].hit(limit, f"user:{user.user_id}")

    async def count_address(request: Request) -> None:
        await state_of(request)["limiter"].hit(limit, request.scope["state"]["address"])

    return Dependency(count_caller if by == "caller" else count_address)


MAILS = limited("mails", 5, HOUR)
"""Mails that an account may request."""
RequestClient = Annotated[Client, Depends(get_client)]
"""The client that sent the request."""


async def get_password_check(request: Request, client: RequestClient) -> PasswordCheck:
    """Return the service that checks passwords, within the limits on guessing."""
    state = state_of(request)
    return PasswordCheck(state["database"], state["passwords"], state["limiter"], client, state["settings"])


Check = Annotated[PasswordCheck, Depends(get_password_check)]


async def get_account(request: Request, db: Db, user: CurrentUser, check: Check) -> AccountService:
    """Return the service that changes the caller's account with its password."""
    state = state_of(request)
    return AccountService(db, user, check, state["passwords"], state["settings"])


async def get_users(db: Db, user: CurrentUser, check: Check) -> UserService:
    """Return the service that reads and changes accounts for their owners."""
    return UserService(db, user, check)


async def get_user_list(db: ReplicaDb, user: Administrator) -> UserAdminService:
    """Return the service that lists accounts for administrators, on the replica."""
    return UserAdminService(db, user)


Paging = Annotated[PageQuery, Query()]
"""The page of a list that has no filters."""
UserFilter = Annotated[UserQuery, Query()]
"""The filters and the page of a list of accounts."""
Account = Annotated[AccountService, Depends(get_account)]
Users = Annotated[UserService, Depends(get_users)]
UserList = Annotated[UserAdminService, Depends(get_user_list)]
