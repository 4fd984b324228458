"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a retried request is done once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from app.core.refusals import IdempotencyInProgressError, IdempotencyKeyReusedError
from app.db.session import Session
from app.models.idempotency_key import IdempotencyKey

LIFETIME = text("interval '24 hours'")
LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The response to the first request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyService:
    """Stores the key and the response in the unit of work of the request: all of it commits, or nothing."""

    db: Session
    user_id: UUID
    operation: str
    key: str

    async def begin(self, payload: bytes) -> StoredAnswer | None:
        """Claim the key, or return its stored response.

        Waits for a concurrent request with the same key. Raises IdempotencyInProgressError if that takes too long, and
        IdempotencyKeyReusedError if the key was used with another body.
        """
        fingerprint = hashlib.sha256(payload).digest()
        if await self._claim(fingerprint):
            return None
        statement = select(
            IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.headers, IdempotencyKey.body
        ).where(self._is_this())
        stored = (await self.db.execute(statement)).one()
        if stored.fingerprint != fingerprint:
            raise IdempotencyKeyReusedError
        return StoredAnswer(stored.status, stored.headers, stored.body)

    async def finish(self, answer: StoredAnswer) -> None:
        """Store the response."""
        await self.db.execute(
            update(IdempotencyKey)
            .where(self._is_this())
            .values(status=answer.status, headers=dict(answer.headers), body=answer.body)
        )

    async def _claim(self, fingerprint: bytes) -> bool:
        """Insert the key, or take over one that has expired; wait while another transaction does the same."""
        values = {"user_id": self.user_id, "operation": self.operation, "key": self.key, "fingerprint": fingerprint}
        statement = (
            insert(IdempotencyKey)
            .values(values)
            .on_conflict_do_update(
                index_elements=["user_id", "operation", "key"],
                set_={"fingerprint": fingerprint, "created_at": func.now()},
                where=IdempotencyKey.created_at < func.now() - LIFETIME,
            )
            .returning(IdempotencyKey.key)
        )
        try:
            return (await self.db.execute(statement)).one_or_none() is not None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise IdempotencyInProgressError from error
            raise

    def _is_this(self) -> ColumnElement[bool]:
        return and_(
            IdempotencyKey.user_id == self.user_id,
            IdempotencyKey.operation == self.operation,
            IdempotencyKey.key == self.key,
        )
