"""The tables of the job queue, as pgqueuer declares them."""

from collections.abc import Sequence
from typing import Any

from alembic import context, op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def run_script(script: str) -> None:
    """Run several statements at once, which needs the driver's own connection."""
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


def downgrade() -> None:
    """Drop them."""
    run_script(QueryBuilderEnvironment().build_uninstall_query())
