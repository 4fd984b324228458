"""Items: the exemplary resource."""

from fastapi import APIRouter, Request, Response

from app.api.conditional import matched, tagged
from app.api.idempotency import IdempotentRoute
from app.api.links import linked, locate
from app.api.openapi import problems
from app.core.exceptions import NotFoundError, PreconditionFailedError, PreconditionRequiredError, ValidationFailedError
from app.core.refusals import IdempotencyInProgressError, IdempotencyKeyReusedError
from app.db.pagination import KeysetPage
from app.dependencies import (
    Idempotent,
    IfMatch,
    IfNoneMatch,
    ItemFilter,
    ItemId,
    Items,
)
from app.models.item import Item
from app.schemas.item import ItemCreate, ItemRead, ItemUpdate
from app.schemas.page import Page

router = APIRouter(prefix="/items", tags=["items"], route_class=IdempotentRoute)
REPEATED = problems(IdempotencyInProgressError, ValidationFailedError, IdempotencyKeyReusedError)
MISSING = problems(NotFoundError)
OUTDATED = problems(NotFoundError, PreconditionFailedError, PreconditionRequiredError)


@router.post("", response_model=ItemRead, status_code=201, responses=REPEATED, dependencies=[Idempotent])
async def create_item(items: Items, data: ItemCreate, request: Request, response: Response) -> Item:
    """Create an item. With an `Idempotency-Key` a retry makes no second one."""
    item = await items.create(data)
    locate(request, response, item.id)
    return tagged(response, item)


@router.get("", response_model=Page[ItemRead])
async def list_items(items: Items, query: ItemFilter, request: Request, response: Response) -> KeysetPage[Item]:
    """List one's own items, page by page."""
    return linked(request, response, await items.list(query))


@router.get("/{item_id}", response_model=ItemRead, responses={**MISSING, 304: {"description": "Not modified"}})
async def read_item(items: Items, item_id: ItemId, response: Response, if_none_match: IfNoneMatch = None) -> Item:
    """Read one of one's own items, unless the client has this version (`If-None-Match`)."""
    return tagged(response, await items.get(item_id), unless=if_none_match)


@router.patch("/{item_id}", response_model=ItemRead, responses=OUTDATED)
async def update_item(
    items: Items, item_id: ItemId, data: ItemUpdate, request: Request, response: Response, if_match: IfMatch = None
) -> Item:
    """Change what is given; what is left out stays. With `If-Match`, only that version is changed."""
    return tagged(response, await items.update(item_id, data, matched(request, if_match)))


@router.delete("/{item_id}", status_code=204, responses=OUTDATED)
async def delete_item(items: Items, item_id: ItemId, request: Request, if_match: IfMatch = None) -> None:
    """Delete an item. With `If-Match`, only that version is deleted."""
    await items.delete(item_id, matched(request, if_match))
