"""Notes on plain SQLAlchemy, in place of the service with traced statements."""

from app.dependencies import CurrentUser, Db
from tests.notes.model import Note
from tests.notes.service import ORDER
from tests.plain_service import PlainService


async def get_plain_notes(db: Db, user: CurrentUser) -> PlainService:
    """Return the plain service, in place of `get_notes`."""
    return PlainService(db, user.user_id, Note, ORDER)
