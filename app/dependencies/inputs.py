"""Forms, query strings, paths, and the headers that make requests conditional or repeatable."""

from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Form, Header, Path, Query, Request, Response

from app.core.conditional import check_fresh, entity_tag, versions_to_change
from app.db.pagination import KeysetPage
from app.dependencies.caller import CurrentUser
from app.dependencies.process import WriterSession, state_of
from app.schemas.item import ItemQuery
from app.schemas.job import JobQuery
from app.schemas.page import PageQuery
from app.schemas.token import TokenRequest, TokenRevocation
from app.services.idempotency_service import IdempotencyService, StoredAnswer

IDEMPOTENCY_SCOPE_KEY = "idempotency"
T = TypeVar("T")
TagHeader = Annotated[str | None, Header(max_length=1000)]
TokenForm = Annotated[TokenRequest, Form()]
"""The form of a token request."""
RevocationForm = Annotated[TokenRevocation, Form()]
"""The form of a revocation."""
Paging = Annotated[PageQuery, Query()]
"""Which page of a list."""
ItemFilter = Annotated[ItemQuery, Query()]
"""Which items, in which order."""
JobFilter = Annotated[JobQuery, Query()]
"""Which jobs."""
UserId = Annotated[UUID, Path(description="The id of an account.")]
"""An account in the path."""
SessionId = Annotated[UUID, Path(description="The id of a session.")]
"""A session in the path."""
ItemId = Annotated[UUID, Path(description="The id of an item.")]
"""An item in the path."""
JobIdPath = Annotated[int, Path(description="The id of a job.", ge=1, le=2**63 - 1)]
"""A job in the path."""


# Versions


class Versioned(Protocol):
    """A row with a version."""

    @property
    def version(self) -> int:
        """Count the changes of the row."""


V = TypeVar("V", bound=Versioned)


@dataclass(frozen=True, slots=True)
class EntityTagger:
    """Puts the version of a row into the ETag header."""

    response: Response

    def tag(self, row: V) -> V:
        """Tag the answer with this row."""
        self.response.headers["ETag"] = entity_tag(row.version)
        return row


@dataclass(frozen=True, slots=True)
class FreshnessTagger(EntityTagger):
    """Does so, unless the client has that version (`If-None-Match`)."""

    if_none_match: str | None

    def tag(self, row: V) -> V:
        """Tag the answer with this row, or raise NotModified."""
        check_fresh(self.if_none_match, row.version)
        return EntityTagger.tag(self, row)


async def _tagger(response: Response) -> EntityTagger:
    return EntityTagger(response)


async def _freshness_tagger(response: Response, if_none_match: TagHeader = None) -> FreshnessTagger:
    return FreshnessTagger(response, if_none_match)


async def _versions(request: Request, if_match: TagHeader = None) -> frozenset[int] | None:
    return versions_to_change(if_match, required=state_of(request)["settings"].require_if_match)


Tagger = Annotated[EntityTagger, Depends(_tagger)]
"""Tags the answer with a version."""
TaggerUnlessFresh = Annotated[FreshnessTagger, Depends(_freshness_tagger)]
"""Tags the answer with a version, or answers 304 to a client that has it."""
VersionsToChange = Annotated[frozenset[int] | None, Depends(_versions)]
"""The versions that the request may change (`If-Match`); None: whichever there is."""


# Pages


@dataclass(frozen=True, slots=True)
class PageLinker:
    """Links a page to the next one (RFC 8288)."""

    request: Request
    response: Response

    def link(self, page: KeysetPage[T]) -> KeysetPage[T]:
        """Add the Link header where a page follows."""
        if page.next_cursor is not None:
            query = urlencode({**self.request.query_params, "cursor": page.next_cursor})
            self.response.headers["Link"] = f'<{self.request.url.path}?{query}>; rel="next"'
        return page


async def _page_linker(request: Request, response: Response) -> PageLinker:
    return PageLinker(request, response)


Pages = Annotated[PageLinker, Depends(_page_linker)]
"""Links pages."""


# Idempotency


class AlreadyAnswered(Exception):  # noqa: N818  no error: the work is done
    """The key was used before; its answer is given again."""

    def __init__(self, answer: StoredAnswer) -> None:
        """Carry that answer."""
        super().__init__()
        self.answer = answer


async def _idempotency(
    request: Request,
    user: CurrentUser,
    session: WriterSession,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", examples=["8e03978e-40d5"])
    ] = None,
) -> None:
    if idempotency_key is None:
        return
    operation = f"{request.method} {request.url.path}"
    service = IdempotencyService(session, user.user_id, operation, idempotency_key)
    answer = await service.begin(await request.body())
    if answer is not None:
        raise AlreadyAnswered(answer)
    request.scope[IDEMPOTENCY_SCOPE_KEY] = service


Idempotent = Depends(_idempotency)
"""Claims the `Idempotency-Key` of the request, in its unit of work; a dependency of routes of `IdempotentRoute`."""
