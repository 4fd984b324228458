"""Items, and an index for searches in their titles."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SEARCH_INDEX = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX ix_items_title_trigrams ON items USING gin (title gin_trgm_ops);
    END IF;
END $$
"""


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "items",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.String(10_000)),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_items_owner_id_users"), ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_items_owner_id_created_at_id"), "items", ["owner_id", "created_at", "id"])
    op.create_index(op.f("ix_items_owner_id_title_id"), "items", ["owner_id", "title", "id"])
    op.execute(SEARCH_INDEX)


def downgrade() -> None:
    """Drop it; the extension stays, because others may use it."""
    op.drop_table("items")
