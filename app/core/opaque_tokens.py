"""Opaque tokens: 256 random bits, of which the database has only the hash."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

TOKEN_BYTES = 32


def new_token() -> str:
    """Return a new token: 43 characters of base64url."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Return the hash of a token, as it is stored. The bits are random, so a fast hash without salt is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _pad(token: str) -> bytes:
    return hmac.digest(token.encode("utf-8", "replace"), b"successor", hashlib.sha256)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def exchange(token: str) -> tuple[str, bytes]:
    """Return the successor of a token, and the successor encrypted with a key that only the token gives.

    The encryption is a one-time pad derived from the token, which the database never contains.
    """
    raw = secrets.token_bytes(TOKEN_BYTES)
    return _spell(raw), _xor(raw, _pad(token))


def open_sealed(token: str, sealed: bytes) -> str:
    """Decrypt the successor of this token."""
    return _spell(_xor(sealed, _pad(token)))


def _spell(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
