"""Business rules for notes. Every statement is limited to one owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, insert, select, true, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from app.core.exceptions import DomainError, NotFoundError, PreconditionFailedError
from app.db.base import LIKE_ESCAPE, escape_like
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session
from app.db.statements import statement
from tests.notes.model import Note
from tests.notes.schemas import NoteCreate, NoteQuery, NoteUpdate

Versions = frozenset[int] | None
"""The versions that may be changed; None means any."""
ORDER = SortOrder(Note.created_at, Note.title, key=Note.id)


@statement
def select_note(owner_id: UUID, note_id: UUID) -> Select[Note]:
    """Select one note of one owner."""
    return select(Note).where(Note.id == note_id, Note.owner_id == owner_id)


@statement(custom_plan=("title", "created_after", "created_before"))
def select_notes(
    owner_id: UUID, title: str | None, created_after: datetime | None, created_before: datetime | None
) -> Select[Note]:
    """Select the notes of one owner that match; `title` is escaped for LIKE."""
    notes = select(Note).where(Note.owner_id == owner_id)
    if title is not None:
        notes = notes.where(Note.title.icontains(title, escape=LIKE_ESCAPE))
    if created_after is not None:
        notes = notes.where(Note.created_at > created_after)
    if created_before is not None:
        notes = notes.where(Note.created_at < created_before)
    return notes


@statement
def insert_note(values: dict[str, Any]) -> ReturningInsert[Note]:
    """Insert a note."""
    return insert(Note).values(values).returning(Note)


@statement
def update_note(owner_id: UUID, note_id: UUID, versions: Versions, changes: dict[str, Any]) -> ReturningUpdate[Note]:
    """Change one note, if it has one of these versions."""
    return update(Note).where(_is_note(owner_id, note_id, versions)).values(changes).returning(Note)


@statement
def delete_note(owner_id: UUID, note_id: UUID, versions: Versions) -> ReturningDelete[Note]:
    """Delete one note, if it has one of these versions."""
    return delete(Note).where(_is_note(owner_id, note_id, versions)).returning(Note)


def _is_note(owner_id: UUID, note_id: UUID, versions: Versions) -> ColumnElement[bool]:
    has_version = true() if versions is None else Note.version.in_(versions)
    return and_(Note.id == note_id, Note.owner_id == owner_id, has_version)


@dataclass(frozen=True, slots=True)
class NoteService:
    """The notes of one owner. Another owner's note and a missing one raise the same NotFoundError."""

    db: Session
    owner_id: UUID

    async def get(self, note_id: UUID) -> Note:
        """Return one note."""
        note = await self.db.fetch_one(select_note(self.owner_id, note_id))
        if note is None:
            raise NotFoundError
        return note

    async def list(self, query: NoteQuery) -> KeysetPage[Note]:
        """Return one page of the notes that match."""
        title = escape_like(query.title) if query.title else None
        notes = select_notes(self.owner_id, title, query.created_after, query.created_before)
        return await paginate(self.db, notes, ORDER, query)

    async def create(self, data: NoteCreate) -> Note:
        """Create a note."""
        [note] = await self.db.fetch_all(insert_note({"owner_id": self.owner_id, **data.model_dump()}))
        return note

    async def update(self, note_id: UUID, data: NoteUpdate, versions: Versions = None) -> Note:
        """Change the given fields.

        Raises PreconditionFailedError if the note has none of these versions.
        """
        note = await self.db.fetch_one(update_note(self.owner_id, note_id, versions, data.model_dump()))
        if note is None:
            raise await self._missing_or_changed(note_id)
        return note

    async def delete(self, note_id: UUID, versions: Versions = None) -> None:
        """Delete a note.

        Raises PreconditionFailedError if it has none of these versions.
        """
        if await self.db.fetch_one(delete_note(self.owner_id, note_id, versions)) is None:
            raise await self._missing_or_changed(note_id)

    async def _missing_or_changed(self, note_id: UUID) -> DomainError:
        await self.get(note_id)
        return PreconditionFailedError()
