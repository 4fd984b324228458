"""`tests.notes.asgi:app`, for servers."""

from tests.notes.application import create_notes_application

app = create_notes_application()
