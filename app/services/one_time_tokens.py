"""Links in mails: issued when the mail is written, good for one use and one purpose."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from app.core.opaque_tokens import hash_token, new_token
from app.core.refusals import TokenInvalidError
from app.db.reader import Reader
from app.db.writer import Writer
from app.models.one_time_token import OneTimeToken, Purpose


async def issue_token(session: Writer, user_id: UUID, purpose: Purpose, email: str, lifetime: timedelta) -> str:
    """Make a token. Earlier ones stay good until one of them is used: mails overtake each other."""
    token = new_token()
    expires_at = datetime.now(UTC) + lifetime
    orm = await session.orm()
    orm.add(
        OneTimeToken(user_id=user_id, purpose=purpose, token_hash=hash_token(token), email=email, expires_at=expires_at)
    )
    return token


async def is_good(session: Reader, token: str, purpose: Purpose) -> bool:
    """Tell whether a token could be used now, without using it."""
    statement = select(OneTimeToken.id).where(
        OneTimeToken.token_hash == hash_token(token),
        OneTimeToken.purpose == purpose,
        OneTimeToken.expires_at > datetime.now(UTC),
    )
    return await session.scalar(statement) is not None


async def use_token(session: Writer, token: str, *purposes: Purpose) -> tuple[UUID, Purpose, str]:
    """Use a token up: give its account, purpose and address, or raise TokenInvalidError."""
    statement = (
        delete(OneTimeToken)
        .where(
            OneTimeToken.token_hash == hash_token(token),
            OneTimeToken.purpose.in_(purposes),
            OneTimeToken.expires_at > datetime.now(UTC),
        )
        .returning(OneTimeToken.user_id, OneTimeToken.purpose, OneTimeToken.email)
    )
    used = (await session.execute(statement)).one_or_none()
    if used is None:
        raise TokenInvalidError
    return used.user_id, Purpose(used.purpose), used.email


async def void_tokens(session: Writer, user_id: UUID, *purposes: Purpose) -> None:
    """Void an account's tokens, because what they vouch for has changed."""
    statement = delete(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes))
    await session.execute(statement)
