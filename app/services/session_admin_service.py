"""The sessions of all accounts, for administrators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select

from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session
from app.models.session import UserSession
from app.models.user import User
from app.observability.security_log import SecurityEvent, record
from app.schemas.page import PageQuery
from app.services.principal import Principal
from app.services.session_service import revoke_sessions

ORDER = SortOrder(UserSession.id, key=UserSession.id)
SessionRow = Row[UUID, str, datetime, datetime, datetime, str | None, str | None]
COLUMNS = (
    UserSession.id,
    User.email,
    UserSession.created_at,
    UserSession.last_used_at,
    UserSession.expires_at,
    UserSession.user_agent,
    UserSession.ip_address,
)
"""The columns of a `SessionRow`."""


@dataclass(frozen=True, slots=True)
class SessionAdminService:
    """Lists and ends the sessions of all accounts."""

    db: Session
    caller: Principal

    async def list(self, query: PageQuery) -> KeysetPage[SessionRow]:
        """Return one page of the live sessions, oldest first."""
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id)
        sessions: Any = select(*COLUMNS).join(User, User.id == UserSession.user_id)
        sessions = sessions.where(UserSession.expires_at > func.now())
        return await paginate(self.db, sessions, ORDER, query)

    async def revoke(self, session_id: UUID) -> None:
        """End a session; raise NotFoundError."""
        ended = delete(UserSession).where(UserSession.id == session_id).returning(UserSession.user_id)
        user_id = await self.db.scalar(ended)
        if user_id is None:
            raise NotFoundError
        self.db.mark_access_changed(session_id)
        record(SecurityEvent.SESSION_REVOKED, user_id=user_id, session_id=str(session_id), by=str(self.caller.user_id))

    async def revoke_all(self, user_id: UUID) -> None:
        """End all sessions of an account; raise NotFoundError."""
        if await self.db.scalar(select(User.id).where(User.id == user_id)) is None:
            raise NotFoundError
        await revoke_sessions(self.db, user_id, by=self.caller.user_id)
