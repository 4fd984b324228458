"""Notify once of many ended sessions, mark jobs whose worker was lost, and index titles for searches."""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FUNCTION = """
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
FUNCTION_FOR_UPDATES = """
CREATE FUNCTION notify_session_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The account, because PostgreSQL sends equal notifications of a transaction once.
    PERFORM pg_notify('session_changes', OLD.user_id::text);
    RETURN NULL;
END $$
"""
MARK_LOST = """
CREATE FUNCTION mark_lost_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'picked' AND OLD.status = 'picked' THEN
        NEW.headers = coalesce(NEW.headers, '{}') || '{"lost": true}';
    ELSE
        NEW.headers = NEW.headers - 'lost';
    END IF;
    RETURN NEW;
END $$
"""
MARK_LOST_TRIGGER = """
CREATE TRIGGER mark_lost_job BEFORE UPDATE OF queue_manager_id ON pgqueuer
FOR EACH ROW WHEN (NEW.queue_manager_id IS DISTINCT FROM OLD.queue_manager_id) EXECUTE FUNCTION mark_lost_job()
"""
SEARCH_INDEX = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
        CREATE INDEX ix_items_title_trigrams ON items USING gin (title gin_trgm_ops);
    END IF;
END $$
"""


def _create_row_trigger(table: str, events: str, function: str = "notify_session_change") -> None:
    op.execute(f"DROP TRIGGER IF EXISTS notify_session_change ON {table}")
    op.execute(
        f"CREATE TRIGGER notify_session_change AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


def upgrade() -> None:
    """Notify of deleted rows once a statement, in whose notification `*` stands for more than a hundred."""
    op.execute(FUNCTION)
    op.execute(FUNCTION_FOR_UPDATES)
    _create_row_trigger("sessions", "UPDATE OF expires_at, user_id", "notify_session_updated")
    _create_row_trigger("users", "UPDATE OF role, is_active, is_verified")
    for table in ("sessions", "users"):
        op.execute(
            f"CREATE TRIGGER notify_sessions_deleted AFTER DELETE ON {table} REFERENCING OLD TABLE AS deleted "
            "FOR EACH STATEMENT EXECUTE FUNCTION notify_sessions_deleted()"
        )
    op.execute(MARK_LOST)
    op.execute(MARK_LOST_TRIGGER)
    op.execute(SEARCH_INDEX)


def downgrade() -> None:
    """Notify of each row again; the extension stays, because others may use it."""
    op.execute("DROP INDEX IF EXISTS ix_items_title_trigrams")
    op.execute("DROP FUNCTION mark_lost_job CASCADE")
    op.execute("DROP FUNCTION notify_sessions_deleted CASCADE")
    _create_row_trigger("sessions", "DELETE OR UPDATE OF expires_at, user_id")
    _create_row_trigger("users", "DELETE OR UPDATE OF role, is_active")
    op.execute("DROP FUNCTION notify_session_updated")
