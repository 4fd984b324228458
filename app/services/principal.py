"""The caller of a request, and the client that sent it."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Client:
    """The address and the user agent of a client."""

    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request."""

    user_id: UUID
    session_id: UUID
    is_admin: bool
    is_verified: bool = False
