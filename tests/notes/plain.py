"""Notes on plain SQLAlchemy."""

from app.dependencies import CurrentUser, Db
from tests.notes.model import Note
from tests.notes.service import ORDER
from tests.plain_service import PlainService


async def get_plain_notes(db: Db, user: CurrentUser) -> PlainService:
    """Return the plain service, which replaces `get_notes`."""
    return PlainService(db, user.user_id, Note, ORDER)
