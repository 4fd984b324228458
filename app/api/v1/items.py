"""Items: the exemplary resource."""

from fastapi import APIRouter, Request, Response

from app.api.openapi import problems
from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import ItemFilter, ItemId, Items, ItemsRead
from app.models.item import Item, ItemRow
from app.schemas.item import ItemCreate, ItemRead, ItemUpdate
from app.schemas.page import Page

router = APIRouter(prefix="/items", tags=["items"])
MISSING_ITEM = problems(NotFoundError)


@router.post("", response_model=ItemRead, status_code=201)
async def create_item(items: Items, data: ItemCreate, request: Request, response: Response) -> Item:
    """Create an item."""
    item = await items.create(data)
    response.headers["Location"] = request.app.url_path_for("read_item", item_id=item.id)
    return item


@router.get("", response_model=Page[ItemRead])
async def list_items(items: ItemsRead, query: ItemFilter) -> KeysetPage[ItemRow]:
    """List one's own items, page by page."""
    return await items.list(query)


@router.get("/{item_id}", response_model=ItemRead, responses=MISSING_ITEM)
async def read_item(items: ItemsRead, item_id: ItemId) -> ItemRow:
    """Read one of one's own items."""
    return await items.get(item_id)


@router.patch("/{item_id}", response_model=ItemRead, responses=MISSING_ITEM)
async def update_item(items: Items, item_id: ItemId, data: ItemUpdate) -> ItemRow:
    """Change what is given; what is left out stays."""
    return await items.update(item_id, data)


@router.delete("/{item_id}", status_code=204, responses=MISSING_ITEM)
async def delete_item(items: Items, item_id: ItemId) -> None:
    """Delete an item."""
    await items.delete(item_id)
