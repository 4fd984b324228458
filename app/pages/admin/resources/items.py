"""Items in the administration."""

from app.models.item import Item
from app.pages.admin.listings import Listing
from app.services.item_service import ORDER

LISTING = Listing(Item, ("id", "owner_id", "title", "created_at"), ORDER)
