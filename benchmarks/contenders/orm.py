"""The service as it ships, but with items on plain SQLAlchemy: what traced statements save."""

from app.dependencies import services
from app.main import app
from tests.plain_items import PlainItemService

__all__ = ["app"]

setattr(services, "ItemService", PlainItemService)  # noqa: B010  the providers look it up when they are called
