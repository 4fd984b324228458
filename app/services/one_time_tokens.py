"""Links in mails: each is issued when its mail is written, and valid once, for one purpose."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from uuid_utils.compat import uuid7

from app.core.opaque_tokens import hash_token, new_token
from app.core.refusals import TokenInvalidError
from app.db.session import Session
from app.models.one_time_token import OneTimeToken, Purpose
from app.observability.security_log import SecurityEvent, record


class UsedToken(NamedTuple):
    """The account, the address and the purpose of a token."""

    user_id: UUID
    purpose: Purpose
    email: str


async def issue_token(
    db: Session, user_id: UUID, purpose: Purpose, email: str, lifetime: timedelta
) -> tuple[UUID, str]:
    """Issue a token; return its id and the token.

    Earlier tokens stay valid until one is used, because mails overtake each other. The caller locks the account.
    """
    token, token_id = new_token(), uuid7()
    expires_at = datetime.now(UTC) + lifetime
    db.add(
        OneTimeToken(
            id=token_id,
            user_id=user_id,
            purpose=purpose,
            token_hash=hash_token(token),
            email=email,
            expires_at=expires_at,
        )
    )
    return token_id, token


async def find_account(db: Session, token: str, *purposes: Purpose) -> UUID:
    """Return the account that a valid token belongs to, without using it; raise TokenInvalidError."""
    user_id = await db.scalar(select(OneTimeToken.user_id).where(*_is_valid(token, purposes)))
    if user_id is None:
        record(SecurityEvent.LINK_REFUSED)
        raise TokenInvalidError
    return user_id


async def use_token(db: Session, token: str, *purposes: Purpose) -> UsedToken:
    """Delete a valid token and return its account, address and purpose; raise TokenInvalidError."""
    statement = delete(OneTimeToken).where(*_is_valid(token, purposes))
    returning = statement.returning(OneTimeToken.user_id, OneTimeToken.purpose, OneTimeToken.email)
    used = (await db.execute(returning)).one_or_none()
    if used is None:
        record(SecurityEvent.LINK_REFUSED)
        raise TokenInvalidError
    return UsedToken(used.user_id, Purpose(used.purpose), used.email)


async def void_tokens(db: Session, user_id: UUID, *purposes: Purpose) -> None:
    """Invalidate the tokens of an account, of these purposes or of all. The caller locks the account."""
    statement = delete(OneTimeToken).where(OneTimeToken.user_id == user_id)
    if purposes:
        statement = statement.where(OneTimeToken.purpose.in_(purposes))
    await db.execute(statement)


def _is_valid(token: str, purposes: tuple[Purpose, ...]) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeToken.token_hash == hash_token(token),
        OneTimeToken.purpose.in_(purposes),
        OneTimeToken.expires_at > datetime.now(UTC),
    )
