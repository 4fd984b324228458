"""Who is asking, and from where."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.core.exceptions import ForbiddenError
from app.core.refusals import EmailNotVerifiedError
from app.core.security_log import SecurityEvent, record
from app.dependencies.process import state_of
from app.services.principal import Authenticator, Client, Principal

LONGEST_USER_AGENT = 400


class _Bearer(OAuth2PasswordBearer):
    """Reads the token and tells whose it is; in one dependency, because each takes its time."""

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]  # the parent gives the token
        token = await super().__call__(request)
        state = state_of(request)
        return await Authenticator(state["access_tokens"], state["sessions"]).authenticate(token)


_principal = _Bearer(
    tokenUrl="/api/v1/auth/token",
    refreshUrl="/api/v1/auth/token",
    description="The access token that `POST /api/v1/auth/token` grants.",
    scheme_name="OAuth2PasswordBearer",
    auto_error=False,
)


async def _client(request: Request) -> Client:
    user_agent = request.headers.get("user-agent", "").replace("\0", "")[:LONGEST_USER_AGENT]
    return Client(_address(request), user_agent or None)


def _address(request: Request) -> str | None:
    """Return the address of the client; None for what a proxy passed on that is not an address."""
    try:
        return str(ip_address(request.client.host)) if request.client else None
    except ValueError:
        return None


CurrentUser = Annotated[Principal, Depends(_principal)]
"""Whoever the access token speaks for."""
RequestClient = Annotated[Client, Depends(_client)]
"""Where the request comes from; a proxy's word only where that proxy is trusted."""


async def _verified_user(user: CurrentUser) -> Principal:
    if not user.is_verified:
        raise EmailNotVerifiedError
    return user


VerifiedUser = Annotated[Principal, Depends(_verified_user)]
"""The caller, whose e-mail address is verified."""


async def _administrator(user: CurrentUser) -> Principal:
    if not user.is_admin:
        record(SecurityEvent.ACCESS_DENIED, user_id=user.user_id)
        raise ForbiddenError
    return user


Administrator = Annotated[Principal, Depends(_administrator)]
"""The caller, who is an administrator."""
