"""Delete old rows."""

import structlog
from sqlalchemy import TextClause, text

from app.jobs.kinds import Resources, Schedule

log = structlog.get_logger(__name__)

# Register a statement here. Each runs in a separate transaction, and deleting twice has no effect.
CLEAN_UPS: dict[str, TextClause] = {
    "finished_jobs": text("DELETE FROM pgqueuer_log WHERE created < now() - interval '7 days'"),
    "idempotency_keys": text("DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'"),
    "security_log": text("DELETE FROM security_log WHERE expires_at < now()"),
    "sessions": text("DELETE FROM sessions WHERE expires_at < now()"),
    "one_time_tokens": text("DELETE FROM one_time_tokens WHERE expires_at < now()"),
    "job_statistics": text("DELETE FROM pgqueuer_statistics WHERE created < now() - interval '90 days'"),
}


async def clean_up(resources: Resources) -> None:
    """Run every registered statement. If one fails, the others run nevertheless."""
    for name, statement in CLEAN_UPS.items():
        try:
            async with resources.database.unit_of_work() as db:
                await db.execute(statement)
        except Exception:
            log.exception("clean-up failed", clean_up=name)


SCHEDULE = Schedule("clean_up", "17 * * * *", clean_up)
