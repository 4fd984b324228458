"""The security log, for administrators."""

from dataclasses import dataclass

from sqlalchemy import select

from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session
from app.models.security_log import SecurityLogEntry
from app.observability.security_log import SecurityEvent, record
from app.schemas.security_log import SecurityLogQuery
from app.services.principal import Principal

ORDER = SortOrder(SecurityLogEntry.id, key=SecurityLogEntry.id)


@dataclass(frozen=True, slots=True)
class SecurityLogService:
    """Reads the security log."""

    db: Session
    caller: Principal

    async def list(self, query: SecurityLogQuery) -> KeysetPage[SecurityLogEntry]:
        """Return one page of the events, newest first."""
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id, table=SecurityLogEntry.__tablename__)
        events = select(SecurityLogEntry)
        if query.event is not None:
            events = events.where(SecurityLogEntry.event == query.event)
        if query.account_id is not None:
            events = events.where(SecurityLogEntry.account_id == query.account_id)
        return await paginate(self.db, events, ORDER, query)
