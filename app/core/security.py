"""Access tokens and derived keys."""

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import jwt
import structlog
from jwt.utils import base64url_decode, base64url_encode
from uuid_utils.compat import uuid7

from app.core.config import Settings
from app.core.exceptions import UnauthenticatedError

log = structlog.get_logger(__name__)

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105  RFC 9068, section 2.1
MAXIMUM_TOKEN_BYTES = 8192
REQUIRED_CLAIMS = ("iss", "aud", "sub", "sid", "jti", "iat", "exp")
LEEWAY = timedelta(seconds=5)
REMEMBERED_TOKENS = 10_000


def derive_key(secret: str, purpose: str) -> bytes:
    """Derive a key of 32 bytes for one purpose, so that a signature is never valid for another."""
    return hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)


def derive_keys(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Derive the current key and its fallbacks for one purpose, the current one first."""
    keys = (settings.secret_key, *settings.secret_key_fallbacks)
    return tuple(derive_key(key.get_secret_value(), purpose) for key in keys)


def _is_canonical(token: str) -> bool:
    """Return whether a signature has its only valid spelling: no padding, and no unused bits in the last character."""
    signature = token.rpartition(".")[2]
    return base64url_encode(base64url_decode(signature)).decode() == signature


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """The claims of a verified access token: the account and the session."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Issues and verifies access tokens: JWTs with the profile of RFC 9068, HS256, keys named by `kid`."""

    keys: dict[str, bytes]
    current: str
    issuer: str
    audience: str
    lifetime: timedelta
    _verified: dict[str, tuple[AccessClaims, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Sign with SECRET_KEY; verify with it and with each of SECRET_KEY_FALLBACKS."""
        derived = derive_keys(settings, "access token")
        keys = {hashlib.sha256(key).hexdigest()[:16]: key for key in derived}
        return cls(
            keys=keys,
            current=next(iter(keys)),
            issuer=settings.public_url,
            audience=settings.project_name,
            lifetime=timedelta(minutes=settings.access_token_expire_minutes),
        )

    def issue(self, claims: AccessClaims) -> str:
        """Return a token that expires after the configured lifetime."""
        now = datetime.now(UTC)
        payload = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + self.lifetime,
        }
        headers = {"typ": TOKEN_TYPE, "kid": self.current}
        return jwt.encode(payload, self.keys[self.current], ALGORITHM, headers=headers)

    def verify(self, token: str) -> AccessClaims:
        """Return the claims of a token; raise UnauthenticatedError, which is the same for every defect.

        A valid token is cached until it expires, because verifying costs as much as reading a row.
        """
        claims, expires_at = self._verified.get(token, (None, 0.0))
        if claims is not None and expires_at > time.time():
            return claims
        try:
            return self._decode(token)
        except jwt.ImmatureSignatureError as error:  # checked after the signature: one of our hosts has issued it
            log.warning("clock skew", reason="a token was issued in the future", leeway_seconds=LEEWAY.seconds)
            raise UnauthenticatedError from error
        except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            raise UnauthenticatedError from error

    def _decode(self, token: str) -> AccessClaims:
        if len(token) > MAXIMUM_TOKEN_BYTES or not _is_canonical(token):
            raise ValueError("not a compact JWS")
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TOKEN_TYPE:
            raise ValueError("not an access token")
        payload: dict[str, Any] = jwt.decode(
            token,
            self.keys[header["kid"]],
            algorithms=[ALGORITHM],
            audience=self.audience,
            issuer=self.issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED_CLAIMS)},
        )
        claims = AccessClaims(user_id=UUID(str(payload["sub"])), session_id=UUID(str(payload["sid"])))
        if len(self._verified) >= REMEMBERED_TOKENS:
            self._verified.clear()
        self._verified[token] = (claims, payload["exp"] + LEEWAY.total_seconds())
        return claims
