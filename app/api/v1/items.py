"""Items, the example resource: each belongs to one user."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.api.conditional import IfMatch, IfNoneMatch, set_etag, versions_to_change
from app.api.idempotency import Idempotent, IdempotentRoute
from app.api.links import add_next_link, set_location
from app.api.openapi import CHANGED_MEANWHILE, NOT_FOUND, NOT_MODIFIED, REPEATED
from app.db.pagination import KeysetPage
from app.dependencies import CurrentUser, Db
from app.models.item import Item
from app.schemas.item import ItemCreate, ItemQuery, ItemRead, ItemUpdate
from app.schemas.page import Page
from app.services.item_service import ItemService


async def get_items(db: Db, user: CurrentUser) -> ItemService:
    """Return the items of the caller."""
    return ItemService(db, user.user_id)


Items = Annotated[ItemService, Depends(get_items)]
ItemFilter = Annotated[ItemQuery, Query()]
ItemId = Annotated[UUID, Path(description="The id of an item.")]
router = APIRouter(prefix="/items", tags=["items"], route_class=IdempotentRoute)


@router.post("", response_model=ItemRead, status_code=201, responses=REPEATED, dependencies=[Idempotent])
async def create_item(items: Items, data: ItemCreate, request: Request, response: Response) -> Item:
    """Create an item. A retry with the same `Idempotency-Key` does not create a second one."""
    item = await items.create(data)
    set_location(request, response, item.id)
    return set_etag(response, item)


@router.get("", response_model=Page[ItemRead])
async def list_items(items: Items, query: ItemFilter, request: Request, response: Response) -> KeysetPage[Item]:
    """List your items."""
    return add_next_link(request, response, await items.list(query))


@router.get("/{item_id}", response_model=ItemRead, responses={**NOT_FOUND, **NOT_MODIFIED})
async def read_item(items: Items, item_id: ItemId, response: Response, if_none_match: IfNoneMatch = None) -> Item:
    """Read one of your items. With `If-None-Match`, the response is 304 if you have the current version."""
    return set_etag(response, await items.get(item_id), if_none_match=if_none_match)


@router.patch("/{item_id}", response_model=ItemRead, responses=CHANGED_MEANWHILE)
async def update_item(
    items: Items, item_id: ItemId, data: ItemUpdate, request: Request, response: Response, if_match: IfMatch = None
) -> Item:
    """Change the given fields of one of your items. With `If-Match`, only that version is changed."""
    item = await items.update(item_id, data, versions_to_change(request, if_match))
    return set_etag(response, item)


@router.delete("/{item_id}", status_code=204, responses=CHANGED_MEANWHILE)
async def delete_item(items: Items, item_id: ItemId, request: Request, if_match: IfMatch = None) -> None:
    """Delete one of your items. With `If-Match`, only that version is deleted."""
    await items.delete(item_id, versions_to_change(request, if_match))
