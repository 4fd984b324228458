"""A cache of live sessions, invalidated by NOTIFY (decision 4)."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Select, func, select

from app.core.background import in_background
from app.core.exceptions import DomainError, UnauthenticatedError
from app.core.security import AccessClaims, AccessTokens
from app.db.connect import is_direct
from app.db.database import Database
from app.db.statements import statement
from app.db.transaction import DATABASE_ERRORS
from app.models.session import UserSession
from app.models.user import Role, User
from app.services.principal import Principal

log = structlog.get_logger(__name__)

CHANNEL = "session_changes"
EVERYTHING = "*"
"""The payload of a notification about more sessions than it could name."""
HEARTBEAT_SECONDS = 1.0
POOLER_PAUSE_SECONDS = 30.0
LARGEST_BATCH = 1000
"""Above this many notifications in one iteration of the event loop the whole cache is cleared."""


@statement
def select_live_session(session_id: UUID, user_id: UUID) -> Select[str, bool, datetime]:
    """Select the role and the verification of an account, and the end of its session, if both are valid."""
    return select(User.role, User.is_verified, UserSession.expires_at).where(
        UserSession.id == session_id,
        UserSession.user_id == user_id,
        UserSession.expires_at > func.now(),
        User.id == UserSession.user_id,
        User.is_active,
    )


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that was live when it was looked up, and what its account may do."""

    user_id: UUID
    role: str
    is_verified: bool
    expires_at: float


class LiveSessions:
    """Finds live sessions without a query for each request, and drops them when PostgreSQL notifies that they ended.

    Triggers notify of every change. The process caches only while it listens: if the connection is lost, does not
    respond within a second, or leads through a pooler, every request queries the database. If the cache is full, the
    least recently used session is dropped.
    """

    def __init__(self, database: Database, size: int) -> None:
        """Cache at most `size` sessions of this database; about 600 bytes each."""
        self._database = database
        # The process that makes a change does not wait for its notification.
        database.access_listeners.append(self._invalidate)
        self._size = size
        self._sessions: dict[UUID, LiveSession] = {}
        self._of_user: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._is_listening = False
        self._reported = ""
        self._changes = 0
        self._notified: list[str] = []

    async def find(self, claims: AccessClaims) -> LiveSession | None:
        """Return the session of an access token, or None if it has ended."""
        known = self._sessions.pop(claims.session_id, None)
        if known is not None:
            self._sessions[claims.session_id] = known  # The most recently used are last.
            if known.user_id == claims.user_id and known.expires_at > time.time():
                return known
        changes = self._changes
        async with self._database.read_only() as db:
            row = await db.fetch_one(select_live_session(claims.session_id, claims.user_id))
        if row is None:
            return None
        role, is_verified, expires_at = row
        found = LiveSession(claims.user_id, role, is_verified, expires_at.timestamp())
        # The row may be out of date if a notification arrived after it was read.
        if self._is_listening and changes == self._changes:
            self._cache(claims.session_id, found)
        return found

    def listen_in_background(self) -> AbstractAsyncContextManager[None]:
        """Return a context manager that listens to PostgreSQL while it is open."""
        return in_background(self._listen_forever())

    async def _listen_forever(self) -> None:
        while True:
            pause = HEARTBEAT_SECONDS
            try:
                await self._listen()
                reason, pause = "DATABASE_URL leads through a pooler: set DATABASE_DIRECT_URL", POOLER_PAUSE_SECONDS
            except (DomainError, *DATABASE_ERRORS, OSError) as error:
                reason = repr(error)
            if reason != self._reported:
                log.warning("sessions are looked up for each request", reason=reason)
            self._reported = reason
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Listen until the connection fails, which raises, or turns out to lead through a pooler, which returns."""
        connection = await self._database.connect_directly()
        try:
            if not await is_direct(connection):
                return
            await connection.add_listener(CHANNEL, self._on_notification)
            connection.add_termination_listener(self._stop_listening)
            self._is_listening, self._reported = True, ""
            while await is_direct(connection, listening_on=CHANNEL):  # noqa: ASYNC110  each check is a query
                await asyncio.sleep(HEARTBEAT_SECONDS)
        finally:
            self._stop_listening()
            connection.terminate()

    def _on_notification(self, _connection: object, _pid: int, _channel: str, changed: object) -> None:
        """Collect notifications: an UPDATE of thousands of accounts notifies once for each."""
        self._changes += 1
        if not self._notified:
            asyncio.get_running_loop().call_soon(self._invalidate_notified)
        self._notified.append(str(changed))

    def _invalidate_notified(self) -> None:
        notified, self._notified = self._notified, []
        if len(notified) > LARGEST_BATCH or EVERYTHING in notified:
            self._clear()
        else:
            self._invalidate(map(UUID, notified))

    def _cache(self, session_id: UUID, session: LiveSession) -> None:
        if len(self._sessions) >= self._size:
            self._drop(next(iter(self._sessions)))
        self._sessions[session_id] = session
        self._of_user[session.user_id].add(session_id)

    def _invalidate(self, changed: Iterable[UUID]) -> None:
        """Drop sessions by their id or by the id of their account."""
        self._changes += 1
        for changed_id in changed:
            for session_id in (changed_id, *self._of_user.get(changed_id, ())):
                self._drop(session_id)

    def _drop(self, session_id: UUID) -> None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            of_user = self._of_user[session.user_id]
            of_user.discard(session_id)
            if not of_user:
                del self._of_user[session.user_id]

    def _stop_listening(self, _connection: object = None) -> None:
        self._is_listening = False
        self._clear()

    def _clear(self) -> None:
        self._changes += 1
        self._sessions.clear()
        self._of_user.clear()


async def authenticate(token: str | None, tokens: AccessTokens, sessions: LiveSessions) -> Principal:
    """Return the caller that an access token stands for.

    Raises UnauthenticatedError unless the token is valid, its session is live and its account is active.
    """
    if not token:
        raise UnauthenticatedError
    claims = tokens.verify(token)
    session = await sessions.find(claims)
    if session is None:
        raise UnauthenticatedError
    return principal_of(claims, session)


def principal_of(claims: AccessClaims, session: LiveSession) -> Principal:
    """Return the caller of a live session, and name the account in the log lines of the request."""
    structlog.contextvars.bind_contextvars(user_id=str(claims.user_id))
    is_admin = session.role == Role.ADMIN
    return Principal(claims.user_id, claims.session_id, is_admin=is_admin, is_verified=session.is_verified)
