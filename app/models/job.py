"""The tables of the job queue, for reading. pgqueuer owns them, so Alembic does not compare them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB

queue = table(
    "pgqueuer",
    column("id", BigInteger),
    column("entrypoint", Text),
    column("status", Text),
    column("attempts", Integer),
    column("created", DateTime(timezone=True)),
    column("execute_after", DateTime(timezone=True)),
)
log = table(
    "pgqueuer_log",
    column("id", BigInteger),
    column("job_id", BigInteger),
    column("traceback", JSONB),
)


JobRow = Row[int, str, str, int, datetime, datetime, str | None]
"""A job for administrators, without its payload, which may contain personal data."""
STATE: ColumnElement[str] = case((cast(queue.c.status, Text) == "picked", "running"), else_=cast(queue.c.status, Text))
LAST_ERROR = (
    select(log.c.traceback["exception_message"].astext)
    .where(log.c.job_id == queue.c.id, log.c.traceback.is_not(None))
    .order_by(log.c.id.desc())
    .limit(1)
    .scalar_subquery()
)


def select_queue_state() -> Select[str, int, float | None]:
    """Select the number of jobs of each state, and for how many seconds the oldest has been due."""
    is_due = and_(STATE == "queued", queue.c.execute_after <= func.now())
    age = func.extract("epoch", func.now() - func.min(queue.c.execute_after).filter(is_due))
    return select(STATE.label("state"), func.count().label("jobs"), age.label("oldest_due")).group_by(STATE)


JOBS = (
    queue.c.id,
    queue.c.entrypoint.label("kind"),
    STATE.label("state"),
    queue.c.attempts,
    queue.c.created.label("created_at"),
    queue.c.execute_after.label("run_after"),
    LAST_ERROR.label("last_error"),
)
"""The columns of a `JobRow`."""
