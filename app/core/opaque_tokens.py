"""Opaque tokens: 256 random bits that the database knows by their hash only."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token: 43 letters of base64url."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Hash a token as it is stored. The bits are random, so a fast hash without salt is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _pad(token: str) -> bytes:
    return hmac.digest(token.encode("utf-8", "replace"), b"successor", hashlib.sha256)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def exchange(token: str) -> tuple[str, bytes]:
    """Make the successor of a token, and seal it so that only who holds the token reads it.

    The seal is a one-time pad derived from the token, which the database never holds.
    """
    raw = secrets.token_bytes(TOKEN_BYTES)
    return _spell(raw), _xor(raw, _pad(token))


def open_sealed(token: str, sealed: bytes) -> str:
    """Give the successor that was made for this token."""
    return _spell(_xor(sealed, _pad(token)))


def _spell(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
