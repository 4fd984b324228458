"""Which sessions are live, remembered for as long as PostgreSQL would tell of their end."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import bindparam, func, select

from app.core.background import in_background
from app.core.exceptions import DomainError
from app.core.security import AccessClaims
from app.db.reader import DATABASE_FAULTS
from app.db.session import Database
from app.models.session import UserSession
from app.models.user import User

log = structlog.get_logger(__name__)

CHANNEL = "session_changes"
TABLES = {UserSession.__tablename__, User.__tablename__}
HEARTBEAT_SECONDS = 1.0
REMEMBERED = 10_000
LIVE_SESSION = select(User.role, UserSession.expires_at).where(
    UserSession.id == bindparam("session_id"),
    UserSession.user_id == bindparam("user_id"),
    UserSession.expires_at > func.now(),
    User.id == UserSession.user_id,
    User.is_active,
)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that was live when it was looked up."""

    user_id: UUID
    role: str
    expires_at: float


class LiveSessions:
    """Knows the role behind a session without a query a request, and forgets it the moment that it ends anywhere.

    Triggers notify of every change, whoever makes it. Only while this process listens does it remember anything: when
    the connection is lost, or does not answer within a second, each request asks the database again.
    """

    def __init__(self, database: Database) -> None:
        """Ask this database; lives as long as the process."""
        self._database = database
        # This process need not wait to be told of what it does itself.
        database.commit_listeners.append(self._forget_own)
        self._sessions: dict[UUID, LiveSession] = {}
        self._is_listening = self._is_reported = False
        self._changes = 0

    async def role_of(self, claims: AccessClaims) -> str | None:
        """Give the role of the account whose session this is, or None when the session is over."""
        known = self._sessions.get(claims.session_id)
        if known is not None and known.user_id == claims.user_id and known.expires_at > time.time():
            return known.role
        changes = self._changes
        parameters = {"session_id": claims.session_id, "user_id": claims.user_id}
        found = (await self._database.primary_reader().execute(LIVE_SESSION, parameters)).one_or_none()
        if found is None:
            return None
        role, expires_at = found
        # What was read before a change that has been told of meanwhile may be out of date.
        if self._is_listening and changes == self._changes:
            self._remember(claims, role, expires_at)
        return role

    def _remember(self, claims: AccessClaims, role: str, expires_at: datetime) -> None:
        if len(self._sessions) >= REMEMBERED:
            self._sessions.clear()
        self._sessions[claims.session_id] = LiveSession(claims.user_id, role, expires_at.timestamp())

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Listen during a block."""
        return in_background(self._listen_forever())

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except (DomainError, *DATABASE_FAULTS, OSError) as error:
                if not self._is_reported:
                    log.warning("sessions are looked up for each request", error=repr(error))
                self._is_reported = True
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _listen(self) -> None:
        connection = await self._database.connect()
        try:
            await connection.add_listener(CHANNEL, self._forget)
            self._is_listening, self._is_reported = True, False
            while True:
                await asyncio.sleep(HEARTBEAT_SECONDS)
                await connection.fetchval("SELECT 1", timeout=HEARTBEAT_SECONDS)
        finally:
            self._is_listening = False
            self._forget_all()
            connection.terminate()

    def _forget_own(self, changed_tables: set[str]) -> None:
        if not changed_tables.isdisjoint(TABLES):
            self._forget_all()

    def _forget_all(self) -> None:
        self._changes += 1
        self._sessions.clear()

    def _forget(self, _connection: object, _pid: int, _channel: str, changed: object) -> None:
        self._changes += 1
        changed_id = UUID(str(changed))
        if self._sessions.pop(changed_id, None) is None:  # Then it is an account.
            gone = [key for key, session in self._sessions.items() if session.user_id == changed_id]
            for key in gone:
                del self._sessions[key]
