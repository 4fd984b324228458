"""The service with notes on plain SQLAlchemy: what traced statements save."""

from tests.notes.asgi import app
from tests.notes.plain import get_plain_notes
from tests.notes.router import get_notes

__all__ = ["app"]

app.dependency_overrides[get_notes] = get_plain_notes
