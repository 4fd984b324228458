"""Forms, query strings, paths, and the headers that make requests conditional or repeatable."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Header, Path, Request

from app.dependencies.caller import CurrentUser
from app.dependencies.process import Db
from app.dependencies.query_string import QueryString
from app.schemas.item import ItemQuery
from app.schemas.job import JobQuery
from app.schemas.page import PageQuery
from app.schemas.token import TokenRequest, TokenRevocation
from app.services.idempotency_service import IdempotencyService, StoredAnswer

IDEMPOTENCY_SCOPE_KEY = "idempotency"
IfMatch = Annotated[str | None, Header(max_length=1000)]
"""The versions that the request may change."""
IfNoneMatch = Annotated[str | None, Header(max_length=1000)]
"""The versions that the client has."""
TokenForm = Annotated[TokenRequest, Form()]
"""The form of a token request."""
RevocationForm = Annotated[TokenRevocation, Form()]
"""The form of a revocation."""
Paging = Annotated[PageQuery, Depends(QueryString(PageQuery))]
"""Which page of a list."""
ItemFilter = Annotated[ItemQuery, Depends(QueryString(ItemQuery))]
"""Which items, in which order."""
JobFilter = Annotated[JobQuery, Depends(QueryString(JobQuery))]
"""Which jobs."""
UserId = Annotated[UUID, Path(description="The id of an account.")]
"""An account in the path."""
SessionId = Annotated[UUID, Path(description="The id of a session.")]
"""A session in the path."""
ItemId = Annotated[UUID, Path(description="The id of an item.")]
"""An item in the path."""
JobIdPath = Annotated[int, Path(description="The id of a job.", ge=1, le=2**63 - 1)]
"""A job in the path."""


# Idempotency


class AlreadyAnswered(Exception):  # noqa: N818  no error: the work is done
    """The key was used before; its answer is given again."""

    def __init__(self, answer: StoredAnswer) -> None:
        """Carry that answer."""
        super().__init__()
        self.answer = answer


async def _idempotency(
    request: Request,
    db: Db,
    user: CurrentUser,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", examples=["8e03978e-40d5"])
    ] = None,
) -> None:
    if idempotency_key is None:
        return
    operation = f"{request.method} {request.url.path}"
    service = IdempotencyService(db, user.user_id, operation, idempotency_key)
    answer = await service.begin(await request.body())
    if answer is not None:
        raise AlreadyAnswered(answer)
    request.scope[IDEMPOTENCY_SCOPE_KEY] = service


Idempotent = Depends(_idempotency)
"""Claims the `Idempotency-Key` of the request, in its unit of work; a dependency of routes of `IdempotentRoute`."""
