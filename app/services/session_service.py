"""Sessions and their refresh tokens."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from uuid_utils.compat import uuid7

from app.core.config import Settings
from app.core.exceptions import NotFoundError
from app.core.opaque_tokens import exchange, hash_token, new_token, open_sealed
from app.core.refusals import InvalidGrantError
from app.db.session import Session
from app.db.statements import statement
from app.models.refresh_token import RefreshToken
from app.models.session import UserSession
from app.models.user import User
from app.observability.security_log import SecurityEvent, record
from app.schemas.session import SessionList, SessionRead
from app.services.principal import Client, Principal

LONGEST_LIST = 100


def _is_live(now: datetime, used_after: datetime) -> ColumnElement[bool]:
    return and_(
        RefreshToken.session_id == UserSession.id,
        UserSession.user_id == User.id,
        User.is_active,
        UserSession.expires_at > now,
        UserSession.last_used_at > used_after,
    )


@statement
def touch_session(token_hash: bytes, now: datetime, used_after: datetime) -> ReturningUpdate[UUID, UUID]:
    """Update the time of last use of a live session, if the token is one of its unused tokens."""
    return (
        update(UserSession)
        .where(RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None), _is_live(now, used_after))
        .values(last_used_at=now)
        .returning(UserSession.user_id, UserSession.id)
    )


@statement
def use_token(token_hash: bytes, now: datetime, sealed: bytes) -> ReturningUpdate[UUID]:
    """Mark an unused token as used. Only one of several concurrent requests succeeds."""
    return (
        update(RefreshToken)
        .where(RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None))
        .values(used_at=now, sealed_successor=sealed)
        .returning(RefreshToken.id)
    )


@statement
def insert_token(session_id: UUID, token_hash: bytes) -> ReturningInsert[UUID]:
    """Insert a refresh token."""
    values = {"session_id": session_id, "token_hash": token_hash}
    return insert(RefreshToken).values(values).returning(RefreshToken.id)


@dataclass(frozen=True, slots=True)
class Grant:
    """A live session and the refresh token that continues it."""

    user_id: UUID
    session_id: UUID
    refresh_token: str


async def open_session(db: Session, user_id: UUID, client: Client, lifetime: timedelta) -> UUID:
    """Insert a session and return its id. The caller locks the account."""
    now, session_id = datetime.now(UTC), uuid7()
    db.add(
        UserSession(
            id=session_id,
            user_id=user_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + lifetime,
            user_agent=client.user_agent,
            ip_address=client.ip_address,
        )
    )
    await db.flush()  # Without a relationship SQLAlchemy cannot order it before the INSERT of a token.
    return session_id


@dataclass(frozen=True, slots=True)
class SessionIssuer:
    """Opens sessions and rotates their refresh tokens (RFC 9700, section 4.14)."""

    db: Session
    settings: Settings

    async def open(self, user_id: UUID, client: Client) -> Grant:
        """Open a session with its first refresh token. The caller locks the account."""
        lifetime, token = timedelta(days=self.settings.refresh_token_expire_days), new_token()
        session_id = await open_session(self.db, user_id, client, lifetime)
        self.db.add(RefreshToken(session_id=session_id, token_hash=hash_token(token)))
        return Grant(user_id, session_id, token)

    async def rotate(self, token: str) -> Grant:
        """Exchange a token for its successor, or raise InvalidGrantError.

        The first request with a token creates the successor, and others within the grace period get the same one. A
        later request is a replay: someone else has the token, and the session ends.
        """
        now = datetime.now(UTC)
        successor, sealed = exchange(token)
        # The session is locked before the token, as in a revocation. In the other order the two could deadlock.
        session = await self.db.fetch_one(touch_session(hash_token(token), now, now - self._idle))
        if session is None or await self.db.fetch_one(use_token(hash_token(token), now, sealed)) is None:
            return await self._reuse_or_revoke(token, now)
        user_id, session_id = session
        await self.db.fetch_all(insert_token(session_id, hash_token(successor)))
        return Grant(user_id, session_id, successor)

    async def _reuse_or_revoke(self, token: str, now: datetime) -> Grant:
        query = select(UserSession.user_id, UserSession.id, RefreshToken.used_at, RefreshToken.sealed_successor).where(
            RefreshToken.token_hash == hash_token(token), _is_live(now, now - self._idle)
        )
        row = (await self.db.execute(query)).one_or_none()
        if row is None or row.used_at is None or row.sealed_successor is None:
            raise InvalidGrantError
        if now - row.used_at <= timedelta(seconds=self.settings.refresh_grace_seconds):
            return Grant(row.user_id, row.id, open_sealed(token, row.sealed_successor))
        await self.db.execute(delete(UserSession).where(UserSession.id == row.id))
        self.db.mark_access_changed(row.id)
        # The error below rolls back, but the tokens of the attacker must be revoked: the only early commit.
        await self.db.commit()
        record(SecurityEvent.TOKEN_REPLAYED, user_id=row.user_id, session_id=str(row.id))
        raise InvalidGrantError

    @property
    def _idle(self) -> timedelta:
        return timedelta(days=self.settings.session_idle_days)


@dataclass(frozen=True, slots=True)
class SessionService:
    """Lists and revokes the sessions of the caller."""

    db: Session
    caller: Principal

    async def list(self) -> SessionList:
        """Return the current session and the newest others, 100 at most."""
        query = (
            select(
                UserSession.id,
                UserSession.created_at,
                UserSession.last_used_at,
                UserSession.expires_at,
                UserSession.user_agent,
                UserSession.ip_address,
                (UserSession.id == self.caller.session_id).label("is_current"),
            )
            .where(UserSession.user_id == self.caller.user_id, UserSession.expires_at > datetime.now(UTC))
            .order_by((UserSession.id == self.caller.session_id).desc(), UserSession.id.desc())
            .limit(LONGEST_LIST)
        )
        rows = (await self.db.execute(query)).all()
        newest_first = sorted(rows, key=lambda row: row.id, reverse=True)
        return SessionList(items=[SessionRead.model_validate(row) for row in newest_first])

    async def revoke(self, session_id: UUID) -> None:
        """End one session; raise NotFoundError for a missing one and for one of another user."""
        if not await end_session(self.db, self.caller.user_id, session_id):
            raise NotFoundError

    async def revoke_others(self) -> None:
        """End all sessions except the current one."""
        caller = self.caller
        await revoke_sessions(self.db, caller.user_id, by=caller.user_id, except_session_id=caller.session_id)


async def end_session(db: Session, user_id: UUID, session_id: UUID) -> bool:
    """End one session of an account; return whether it was live."""
    query = delete(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    if (await db.execute(query.returning(UserSession.id))).one_or_none() is None:
        return False
    db.mark_access_changed(session_id)
    record(SecurityEvent.SESSION_REVOKED, user_id=user_id, session_id=str(session_id))
    return True


async def revoke_sessions(db: Session, user_id: UUID, *, by: UUID, except_session_id: UUID | None = None) -> None:
    """End all sessions of an account, except one; `by` is the account that wants it."""
    query = delete(UserSession).where(UserSession.user_id == user_id)
    if except_session_id is not None:
        query = query.where(UserSession.id != except_session_id)
    await db.execute(query)
    db.mark_access_changed(user_id)
    record(SecurityEvent.SESSIONS_REVOKED, user_id=user_id, by=str(by))
