"""Limits for single operations, tighter than the one for all requests."""

from typing import Literal

from fastapi import Request
from fastapi.params import Depends

from app.core.hit_counters import Limit
from app.dependencies.process import state_of

HOUR = 3600


def limited(name: str, amount: int, seconds: int, *, by: Literal["caller", "address"] = "caller") -> Depends:
    """Allow `amount` calls in any `seconds`: `dependencies=[limited("registrations", 20, HOUR, by="address")]`.

    Operations that need no token count by address: otherwise each new account would bring an allowance of its own.
    """
    limit = Limit(name, amount, seconds)

    async def count(request: Request) -> None:
        await state_of(request)["limiter"].hit(limit, request.scope["state"][by])

    return Depends(count)
