"""The notes table, which no migration creates."""

from uuid import UUID

from sqlalchemy import Connection, ForeignKey, Index, MetaData, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, Timestamped, Versioned
from app.models.user import User

SEARCH = "CREATE INDEX IF NOT EXISTS ix_notes_title_trigrams ON notes USING gin (title gin_trgm_ops)"


class NotesBase(Base):
    """A base with its own metadata, which Alembic does not compare with the database."""

    __abstract__ = True
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)


class Note(Identified, Timestamped, Versioned, NotesBase):
    """A note of a user."""

    __tablename__ = "notes"
    __table_args__ = (
        Index(None, "owner_id", "created_at", "id"),
        Index(None, "owner_id", "title", "id"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(10_000))


def create_tables(connection: Connection) -> None:
    """Create the table, and the index for searches if PostgreSQL has pg_trgm."""
    NotesBase.metadata.create_all(connection)
    if connection.scalar(text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
        connection.execute(text(SEARCH))
