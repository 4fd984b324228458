"""Notes, the resource of the tests: each belongs to one user."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import select

from app.api.conditional import IfMatch, IfNoneMatch, set_etag, versions_to_change
from app.api.idempotency import Idempotent, IdempotentRoute
from app.api.links import add_next_link, set_location
from app.api.openapi import CHANGED_MEANWHILE, NOT_FOUND, NOT_MODIFIED, REPEATED
from app.core.exceptions import NotFoundError
from app.db.pagination import KeysetPage
from app.dependencies import CurrentUser, Db, OptionalUser
from app.schemas.page import Page
from tests.notes.model import Note
from tests.notes.schemas import NoteCreate, NoteQuery, NoteRead, NoteUpdate, PublicNoteRead
from tests.notes.service import NoteService


async def get_notes(db: Db, user: CurrentUser) -> NoteService:
    """Return the notes of the caller."""
    return NoteService(db, user.user_id)


Notes = Annotated[NoteService, Depends(get_notes)]
NoteFilter = Annotated[NoteQuery, Query()]
NoteId = Annotated[UUID, Path(description="The id of a note.")]
router = APIRouter(prefix="/notes", tags=["notes"], route_class=IdempotentRoute)


@router.post("", response_model=NoteRead, status_code=201, responses=REPEATED, dependencies=[Idempotent])
async def create_note(notes: Notes, data: NoteCreate, request: Request, response: Response) -> Note:
    """Create a note. With an `Idempotency-Key` a retry creates no second one."""
    note = await notes.create(data)
    set_location(request, response, note.id)
    return set_etag(response, note)


@router.get("", response_model=Page[NoteRead])
async def list_notes(notes: Notes, query: NoteFilter, request: Request, response: Response) -> KeysetPage[Note]:
    """List your notes, page by page."""
    return add_next_link(request, response, await notes.list(query))


@router.get("/{note_id}", response_model=NoteRead, responses={**NOT_FOUND, **NOT_MODIFIED})
async def read_note(notes: Notes, note_id: NoteId, response: Response, if_none_match: IfNoneMatch = None) -> Note:
    """Read one of your notes, unless the client has this version (`If-None-Match`)."""
    return set_etag(response, await notes.get(note_id), if_none_match=if_none_match)


@router.patch("/{note_id}", response_model=NoteRead, responses=CHANGED_MEANWHILE)
async def update_note(
    notes: Notes, note_id: NoteId, data: NoteUpdate, request: Request, response: Response, if_match: IfMatch = None
) -> Note:
    """Change the given fields of a note. With `If-Match`, only that version is changed."""
    note = await notes.update(note_id, data, versions_to_change(request, if_match))
    return set_etag(response, note)


@router.delete("/{note_id}", status_code=204, responses=CHANGED_MEANWHILE)
async def delete_note(notes: Notes, note_id: NoteId, request: Request, if_match: IfMatch = None) -> None:
    """Delete a note. With `If-Match`, only that version is deleted."""
    await notes.delete(note_id, versions_to_change(request, if_match))


@router.get("/public/{note_id}", responses=NOT_FOUND)
async def read_public_note(db: Db, caller: OptionalUser, note_id: NoteId) -> PublicNoteRead:
    """Read the title of any note, with or without a login."""
    note = await db.scalar(select(Note).where(Note.id == note_id))
    if note is None:
        raise NotFoundError
    return PublicNoteRead(title=note.title, is_own=caller is not None and caller.user_id == note.owner_id)
