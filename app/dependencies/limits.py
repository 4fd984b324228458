"""Limits for single operations, tighter than the one for all requests."""

from fastapi import Request
from fastapi.params import Depends

from app.core.hit_counters import Limit
from app.dependencies.process import state_of

HOUR = 3600


def limited(name: str, amount: int, seconds: int) -> Depends:
    """Allow `amount` calls in any `seconds` to each caller: `dependencies=[limited("registrations", 20, HOUR)]`."""
    limit = Limit(name, amount, seconds)

    async def count(request: Request) -> None:
        await state_of(request)["limiter"].hit(limit, request.scope["state"]["caller"])

    return Depends(count)
