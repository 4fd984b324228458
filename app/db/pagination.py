"""Keyset paging: pages that neither skip nor repeat rows while others are inserted and deleted."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, bindparam, tuple_
from sqlalchemy.orm import QueryableAttribute

from app.core.config import Settings
from app.core.exceptions import InvalidCursorError
from app.core.security import derive_keys
from app.db.prepared import Parameters, Prepared, R
from app.db.reader import Reader

SIGNATURE_BYTES = 16
SEPARATOR = "\0"
"""No text of PostgreSQL has it."""
READERS: dict[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "UUID": UUID,
    "int": int,
    "str": str,
}
"""How the values that lists are sorted by are read back."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[T]):
    """Some rows of a list, and the cursor of those that follow (None on the last page)."""

    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; the key breaks ties."""

    column: ColumnElement[Any] | QueryableAttribute[Any]
    key: ColumnElement[Any] | QueryableAttribute[Any]
    descending: bool


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads opaque cursors: the last row's sort value and key, signed for one list."""

    keys: tuple[bytes, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Sign with SECRET_KEY; accept what its fallbacks signed."""
        return cls(derive_keys(settings, "cursor"))

    def write(self, scope: str, value: object, key: object) -> str:
        """Sign a position; `scope` names the list, its owner, its sort order and its filter."""
        payload = SEPARATOR.join((*_to_text(value), *_to_text(key))).encode()
        return _encode(_sign(self.keys[0], scope, payload) + payload)

    def read(self, scope: str, cursor: str) -> tuple[object, object]:
        """Give the position back, or raise InvalidCursorError."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise InvalidCursorError from None
        if _encode(raw) != cursor:  # b64decode skips what is not in its alphabet
            raise InvalidCursorError
        signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not any(hmac.compare_digest(_sign(key, scope, payload), signature) for key in self.keys):
            raise InvalidCursorError
        kind, text, key_kind, key_text = payload.decode().split(SEPARATOR)
        return READERS[kind](text), READERS[key_kind](key_text)


def _to_text(value: object) -> tuple[str, str]:
    return type(value).__name__, value.isoformat() if isinstance(value, datetime) else str(value)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _sign(key: bytes, scope: str, payload: bytes) -> bytes:
    return hmac.digest(key, scope.encode() + b"\0" + payload, hashlib.sha256)[:SIGNATURE_BYTES]


@dataclass(frozen=True, slots=True)
class Keyset:
    """Reads one page of any Select that has the columns of its order."""

    cursors: Cursors
    order: Order
    scope: str
    is_filtered: bool = False
    """Whether the statement has conditions whose values decide which index serves it best."""

    async def page(
        self,
        session: Reader,
        statement: Select[*tuple[Any, ...]],
        row: type[R],
        parameters: Parameters,
        *,
        limit: int,
        cursor: str | None,
    ) -> KeysetPage[R]:
        """Read `limit` rows after the cursor; one more tells whether a page follows.

        The statement should be one that is built once, with parameters: then so is what is derived from it.
        """
        values = {**parameters, "limit": limit + 1}
        if cursor is not None:
            values["after"], values["after_key"] = self.cursors.read(self.scope, cursor)
        rows = await session.fetch(
            _paged(statement, row, self.order, is_first=cursor is None, custom_plan=self.is_filtered), values
        )
        if len(rows) <= limit:
            return KeysetPage(rows, None)
        shown = rows[:limit]
        last, last_key = (getattr(shown[-1], str(column.key)) for column in (self.order.column, self.order.key))
        next_cursor = self.cursors.write(self.scope, last, last_key)
        return KeysetPage(shown, next_cursor)


@lru_cache(maxsize=256)
def _paged(
    statement: Select[*tuple[Any, ...]], row: type[R], order: Order, *, is_first: bool, custom_plan: bool
) -> Prepared[R]:
    column, key = order.column, order.key
    if not is_first:
        position = tuple_(column, key)
        last = tuple_(bindparam("after", type_=column.type), bindparam("after_key", type_=key.type))
        statement = statement.where(position < last if order.descending else position > last)
    ends = (column.desc(), key.desc()) if order.descending else (column, key)
    return Prepared(statement.order_by(*ends).limit(bindparam("limit", type_=Integer)), row, custom_plan=custom_plan)
