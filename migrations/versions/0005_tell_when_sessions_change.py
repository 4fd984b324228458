"""Tell every process when a session ends, or an account changes what its sessions may do."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FUNCTION = """
CREATE FUNCTION notify_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('session_changes', OLD.id::text);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Notify with the id of the session or of the account, in the transaction that changes it."""
    op.execute(FUNCTION)
    op.execute(
        "CREATE TRIGGER notify_session_change AFTER DELETE OR UPDATE OF expires_at, user_id ON sessions "
        "FOR EACH ROW EXECUTE FUNCTION notify_session_change()"
    )
    op.execute(
        "CREATE TRIGGER notify_session_change AFTER DELETE OR UPDATE OF role, is_active ON users "
        "FOR EACH ROW EXECUTE FUNCTION notify_session_change()"
    )


def downgrade() -> None:
    """Notify nobody."""
    op.execute("DROP FUNCTION notify_session_change CASCADE")
