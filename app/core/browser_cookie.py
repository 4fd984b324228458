"""The cookie of a browser session: which session it is, and when it was last used."""

import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from app.core.config import Settings
from app.core.security import AccessClaims, derive_keys

ID_BYTES, TIME_BYTES = 16, 8
PAYLOAD_BYTES = 2 * ID_BYTES + TIME_BYTES


@dataclass(frozen=True, slots=True)
class BrowserCookies:
    """Writes and reads cookies that are signed with SECRET_KEY, and the CSRF tokens that belong to them.

    A cookie grants nothing by itself: its session is looked up for each request, as that of an access token is, so a
    revocation ends both. The prefix `__Host-` makes browsers refuse the cookie from other hosts and without TLS.
    """

    keys: tuple[bytes, ...]
    idle_seconds: float
    is_secure: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Sign with SECRET_KEY; accept cookies that its fallbacks signed."""
        keys = derive_keys(settings, "browser session")
        return cls(keys, settings.browser_session_idle_minutes * 60, settings.is_https_only)

    @property
    def name(self) -> str:
        """The name of the cookie."""
        return "__Host-session" if self.is_secure else "session"

    def write(self, claims: AccessClaims) -> str:
        """Return the value of a cookie with the current time as its last use."""
        payload = claims.user_id.bytes + claims.session_id.bytes + int(time.time()).to_bytes(TIME_BYTES, "big")
        return urlsafe_b64encode(payload + _sign(self.keys[0], b"cookie", payload)).decode()

    def read(self, value: str) -> tuple[AccessClaims, float] | None:
        """Return the claims, and the seconds since the last use; None for an invalid cookie and after the idle time."""
        try:
            raw = urlsafe_b64decode(value)
        except ValueError:
            return None
        payload, signature = raw[:PAYLOAD_BYTES], raw[PAYLOAD_BYTES:]
        if not any(hmac.compare_digest(_sign(key, b"cookie", payload), signature) for key in self.keys):
            return None
        age = time.time() - int.from_bytes(payload[2 * ID_BYTES :], "big")
        if age > self.idle_seconds:
            return None
        user_id, session_id = UUID(bytes=payload[:ID_BYTES]), UUID(bytes=payload[ID_BYTES : 2 * ID_BYTES])
        return AccessClaims(user_id, session_id), age

    def csrf_token(self, session_id: UUID) -> str:
        """Return the token that a form of this session carries."""
        return _sign(self.keys[0], b"csrf", session_id.bytes).hex()

    def is_csrf_token(self, session_id: UUID, token: str) -> bool:
        """Return whether a form belongs to this session."""
        expected = (_sign(key, b"csrf", session_id.bytes).hex() for key in self.keys)
        return any(hmac.compare_digest(value.encode(), token.encode("utf-8", "replace")) for value in expected)


def _sign(key: bytes, purpose: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, purpose + payload, hashlib.sha256)
