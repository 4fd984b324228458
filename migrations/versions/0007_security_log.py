"""The security log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "security_log",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("request_id", sa.String(128)),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(op.f("ix_security_log_account_id_id"), "security_log", ["account_id", "id"])
    op.create_index(op.f("ix_security_log_event_id"), "security_log", ["event", "id"])
    op.create_index(op.f("ix_security_log_expires_at"), "security_log", ["expires_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("security_log")
