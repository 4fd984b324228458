"""The security log as administrators read it."""

from typing import ClassVar
from uuid import UUID

from app.observability.security_log import SecurityEvent
from app.schemas.page import PageQuery


class SecurityLogQuery(PageQuery):
    """Filters of the security log."""

    sort: ClassVar[str] = "-id"
    event: SecurityEvent | None = None
    """Only events of this kind."""
    account_id: UUID | None = None
    """Only events of this account."""
