"""How Alembic reaches the database: the settings of the service, one migrator at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

import app.models  # noqa: F401  registers every table
from app.core.config import load_settings
from app.db.base import Base
from app.db.migrations import SETTINGS_ATTRIBUTE
from app.db.session import make_engine

# Any constant will do, as long as it stays: it names the lock that migrators share.
ADVISORY_LOCK = 7_305_213_046
LOCK_TIMEOUT = "5s"


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Leave the job queue's tables out of comparisons: pgqueuer declares them."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


def run_migrations(connection: Connection) -> None:
    """Migrate under the lock, which PostgreSQL releases with the connection whatever happens."""
    connection.execute(text("SET statement_timeout = 0"))
    # Migrators wait for each other as long as it takes, but never block the service for long.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        include_name=is_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_online() -> None:
    """Connect as the service does, without its time limits."""
    settings = context.config.attributes.get(SETTINGS_ATTRIBUTE) or load_settings()
    unbounded = settings.model_copy(update={"database_statement_timeout_seconds": 86_400.0})
    engine = make_engine(unbounded, settings.database_url)
    async with engine.connect() as connection:
        await connection.run_sync(run_migrations)
    await engine.dispose()


def migrate_offline() -> None:
    """Print the SQL instead of running it (`alembic upgrade head --sql`)."""
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate_offline()
else:
    asyncio.run(migrate_online())
