"""What the contenders share: the database and the verification of tokens."""

import os
from typing import Any
from uuid import UUID

import jwt

DSN = os.environ["BENCH_DSN"]
KEY = bytes.fromhex(os.environ["BENCH_KEY"])
ISSUER, AUDIENCE = os.environ["BENCH_ISSUER"], os.environ["BENCH_AUDIENCE"]
POOL_SIZE = 10


def verify(authorization: str) -> UUID | None:
    """Return the account of a valid token."""
    try:
        payload: dict[str, Any] = jwt.decode(
            authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER
        )
    except jwt.PyJWTError:
        return None
    return UUID(payload["sub"])
