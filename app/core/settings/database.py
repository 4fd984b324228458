"""PostgreSQL: where it is, how many connections, and how long anything may take."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.core.database_url import embedded_database_url, is_embedded, to_dsn
from app.core.settings.process import ProcessSettings, Seconds, is_deployed


class Pooler(StrEnum):
    """What DATABASE_URL leads through."""

    AUTO = "auto"
    """Detect a pooler on the first connection."""
    NONE = "none"
    SESSION = "session"
    """A pooler that gives each client a server connection of its own."""
    TRANSACTION = "transaction"
    """A pooler that may use another server connection for each transaction, such as PgBouncer or RDS Proxy."""


class DatabaseSettings(ProcessSettings):
    """URLs, the pool, time limits."""

    database_url: SecretStr = Field(default_factory=lambda: SecretStr(embedded_database_url()))
    """PostgreSQL 15 or newer; unset in development: the embedded server of `make run`."""
    database_replica_url: SecretStr | None = None
    """A read replica; unset: reads go to DATABASE_URL."""
    database_direct_url: SecretStr | None = None
    """PostgreSQL itself, where DATABASE_URL leads through a pooler: for LISTEN, migrations and the job worker."""
    database_pooler: Pooler = Pooler.AUTO
    """auto, none, session or transaction: what DATABASE_URL leads through."""
    database_migration_timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long `migrate` may try to get the locks that it needs, each time for a second."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    """Connections in each of the two pools of a process: one for reads, one for writes."""
    database_pool_timeout_seconds: Seconds = 2.0
    """The longest wait for a free connection; then 503."""
    database_connect_timeout_seconds: Seconds = 3.0
    """The longest wait for a new connection; then 503."""
    database_statement_timeout_seconds: Seconds = 5.0
    """The longest that a statement may run; then 504."""
    database_lock_timeout_seconds: Seconds = 2.0
    """The longest that a statement may wait for a lock; then 503."""
    database_idle_timeout_seconds: Seconds = 10.0
    """The longest that a transaction may stand idle before PostgreSQL ends it."""

    @field_validator("database_url", "database_direct_url", "database_replica_url")
    @classmethod
    def _check_database(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        dsn = to_dsn(value.get_secret_value())
        if is_embedded(dsn) and is_deployed(info):
            raise ValueError("must be set: the embedded server is for development")
        return SecretStr(dsn)
