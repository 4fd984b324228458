"""The caller of a request, and the client that sent it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as it can be believed."""

    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The account that makes a request."""

    user_id: UUID
    session_id: UUID
    is_admin: bool
    is_verified: bool = False
