"""Opaque cursors for keyset paging."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from app.core.config import Settings
from app.core.exceptions import InvalidCursorError
from app.core.security import derive_keys

SIGNATURE_BYTES = 16
SEPARATOR = "\0"
"""PostgreSQL allows it in no text."""
PARSERS: dict[type, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
    UUID: UUID,
    int: int,
    str: str,
}
"""The types of sort columns, and how a cursor's text is read."""
BY_NAME = {kind.__name__: read for kind, read in PARSERS.items()}


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads opaque cursors: the last row's sort value and key, signed for one list."""

    keys: tuple[bytes, ...]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Sign with SECRET_KEY; accept cursors that its fallbacks signed."""
        return cls(derive_keys(settings, "cursor"))

    def write(self, scope: str, value: object, key: object) -> str:
        """Sign a position; `scope` names the list, its parameters and its order."""
        payload = SEPARATOR.join((*_to_text(value), *_to_text(key))).encode()
        return _encode(_sign(self.keys[0], scope, payload) + payload)

    def read(self, scope: str, cursor: str) -> tuple[object, object]:
        """Return the position, or raise InvalidCursorError."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise InvalidCursorError from None
        if _encode(raw) != cursor:  # b64decode skips characters outside its alphabet.
            raise InvalidCursorError
        signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not any(hmac.compare_digest(_sign(key, scope, payload), signature) for key in self.keys):
            raise InvalidCursorError
        kind, text, key_kind, key_text = payload.decode().split(SEPARATOR)
        return BY_NAME[kind](text), BY_NAME[key_kind](key_text)


def _to_text(value: object) -> tuple[str, str]:
    for kind in PARSERS:
        if isinstance(value, kind):
            return kind.__name__, value.isoformat() if isinstance(value, date) else str(value)
    raise TypeError(f"a row has the sort value {value!r}, which a cursor cannot hold")


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _sign(key: bytes, scope: str, payload: bytes) -> bytes:
    return hmac.digest(key, scope.encode() + b"\0" + payload, hashlib.sha256)[:SIGNATURE_BYTES]
