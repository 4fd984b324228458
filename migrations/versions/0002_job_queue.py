"""The job queue: the tables that pgqueuer declares, and a mark for jobs whose worker was lost."""

from collections.abc import Sequence
from typing import Any

from alembic import context, op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

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


def run_script(script: str) -> None:
    """Run several statements in one string, which needs the driver's own connection."""
    if context.is_offline_mode():
        op.execute(script)
        return
    # One statement through SQLAlchemy begins the transaction that the script has to be part of.
    op.execute("SELECT 1")
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(script))


def upgrade() -> None:
    """Create the queue, its log, its schedules and its statistics."""
    run_script(QueryBuilderEnvironment().build_install_query())
    op.execute(MARK_LOST)
    op.execute(MARK_LOST_TRIGGER)


def downgrade() -> None:
    """Drop them."""
    run_script(QueryBuilderEnvironment().build_uninstall_query())
    op.execute("DROP FUNCTION mark_lost_job")
