"""Sessions and their refresh tokens, and notifications when access changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NOTIFY_USER_UPDATED = """
CREATE FUNCTION notify_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('session_changes', OLD.id::text);
    RETURN NULL;
END $$
"""
NOTIFY_SESSION_UPDATED = """
CREATE FUNCTION notify_session_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The account, because PostgreSQL sends equal notifications of a transaction once.
    PERFORM pg_notify('session_changes', OLD.user_id::text);
    RETURN NULL;
END $$
"""
NOTIFY_DELETED = """
CREATE FUNCTION notify_sessions_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM deleted LIMIT 101) AS counted) > 100 THEN
        PERFORM pg_notify('session_changes', '*');
    ELSE
        PERFORM pg_notify('session_changes', id::text) FROM deleted;
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    (
        "CREATE TRIGGER notify_session_change AFTER UPDATE OF expires_at, user_id ON sessions "
        "FOR EACH ROW EXECUTE FUNCTION notify_session_updated()"
    ),
    (
        "CREATE TRIGGER notify_session_change AFTER UPDATE OF role, is_active, is_verified ON users "
        "FOR EACH ROW EXECUTE FUNCTION notify_session_change()"
    ),
    *(
        f"CREATE TRIGGER notify_sessions_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS deleted "
        "FOR EACH STATEMENT EXECUTE FUNCTION notify_sessions_deleted()"
        for table in ("sessions", "users")
    ),
)


def upgrade() -> None:
    """Create both tables and the triggers."""
    create_sessions()
    create_refresh_tokens()
    for statement in (NOTIFY_USER_UPDATED, NOTIFY_SESSION_UPDATED, NOTIFY_DELETED, *TRIGGERS):
        op.execute(statement)


def create_sessions() -> None:
    """Create the table of sessions."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.String(400)),
        sa.Column("ip_address", sa.String(45)),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE", name=op.f("fk_sessions_user_id_users")),
    )
    op.create_index(op.f("ix_sessions_user_id_id"), "sessions", ["user_id", "id"])
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])


def create_refresh_tokens() -> None:
    """Create the table of refresh tokens."""
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("sealed_successor", sa.LargeBinary(32)),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], ondelete="CASCADE", name=op.f("fk_refresh_tokens_session_id_sessions")
        ),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("refresh_tokens")
    op.drop_table("sessions")
    for function in ("notify_session_change", "notify_session_updated", "notify_sessions_deleted"):
        op.execute(f"DROP FUNCTION {function} CASCADE")
