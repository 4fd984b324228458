"""How Alembic reaches the database: the settings of the service, one migrator at a time."""

import asyncio
import random
import time

import structlog
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import app.models  # noqa: F401  registers every table
from app.core.config import load_settings
from app.db.base import Base
from app.db.database import Database
from app.db.migrations import SETTINGS_ATTRIBUTE
from app.db.roles import limit_role

log = structlog.get_logger(__name__)

# Any constant will do, as long as it stays: it names the lock that migrators share.
ADVISORY_LOCK = 7_305_213_046
LOCK_TIMEOUT = "1s"
"""Less than requests wait for a lock, so that they get through between two attempts."""
LONGEST_PAUSE_SECONDS = 2.0
LOCK_NOT_AVAILABLE = "55P03"
OPTIONAL_SUFFIX = "_trigrams"
"""Of indexes that exist only where PostgreSQL has the extension pg_trgm; models do not declare them."""


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Leave the job queue's tables out of comparisons, which pgqueuer declares, and optional indexes."""
    is_of_queue = kind == "table" and name is not None and name.startswith("pgqueuer")
    return not is_of_queue and not (kind == "index" and (name or "").endswith(OPTIONAL_SUFFIX))


def run_migrations(connection: Connection, patience_seconds: float) -> None:
    """Migrate under a lock, each revision in a transaction; try again for so long when a table is in use."""
    connection.execute(text("SET statement_timeout = 0"))
    # Migrators wait for each other as long as it takes.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            run_revisions(connection)
        except DBAPIError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or time.monotonic() > deadline:
                raise
            log.info("migration waits for a lock")
            time.sleep(random.uniform(0.5, 1) * LONGEST_PAUSE_SECONDS)  # noqa: S311  not a secret
        else:
            return


def run_revisions(connection: Connection) -> None:
    """Run what is left to run; what fails leaves nothing of its revision, and revisions before it stay."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_online() -> None:
    """Connect without a pooler, whose server connection would keep the lock, and without the service's timeouts."""
    settings = context.config.attributes.get(SETTINGS_ATTRIBUTE) or load_settings()
    database = Database(settings.model_copy(update={"database_statement_timeout_seconds": 86_400.0}))
    try:
        async with database.migrating() as connection:
            await connection.run_sync(run_migrations, settings.database_migration_timeout_seconds)
            if settings.database_direct_url:
                # A pooler does not pass the time limits on that connections ask for: the role has them.
                await limit_role(connection, settings)
    finally:
        await database.dispose()


def migrate_offline() -> None:
    """Print the SQL instead of running it (`alembic upgrade head --sql`)."""
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate_offline()
else:
    asyncio.run(migrate_online())
