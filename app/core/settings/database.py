"""Settings of PostgreSQL: addresses, pools, timeouts."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.core.database_url import embedded_database_url, is_embedded, to_dsn
from app.core.settings.process import ProcessSettings, Seconds, is_deployed


class Pooler(StrEnum):
    """The kind of connection pooler that DATABASE_URL leads through."""

    AUTO = "auto"
    """Detect a pooler on the first connection."""
    NONE = "none"
    SESSION = "session"
    """A pooler that gives each client one server connection."""
    TRANSACTION = "transaction"
    """A pooler that may use another server connection for each transaction, such as PgBouncer or RDS Proxy."""


class DatabaseSettings(ProcessSettings):
    """URLs, pools, timeouts."""

    database_url: SecretStr = Field(default_factory=lambda: SecretStr(embedded_database_url()))
    """PostgreSQL 15 or newer; unset in development: the embedded server of `make run`."""
    database_replica_url: SecretStr | None = None
    """A read replica; unset: reads go to DATABASE_URL."""
    database_direct_url: SecretStr | None = None
    """PostgreSQL without the pooler that DATABASE_URL leads through: for LISTEN, migrations and the job worker."""
    database_pooler: Pooler = Pooler.AUTO
    """auto, none, session or transaction: the pooler that DATABASE_URL leads through."""
    database_migration_timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """How long `migrate` tries to get the locks that it needs, one second each time."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    """Connections in each of the two pools of a process: one for reads, one for writes."""
    database_pool_timeout_seconds: Seconds = 2.0
    """Timeout for a free connection of the pool; then 503."""
    database_connect_timeout_seconds: Seconds = 3.0
    """Timeout for a new connection; then 503."""
    database_statement_timeout_seconds: Seconds = 5.0
    """Timeout for a statement; then 504."""
    database_lock_timeout_seconds: Seconds = 2.0
    """Timeout for a lock; then 503."""
    database_idle_timeout_seconds: Seconds = 10.0
    """Timeout for an idle transaction, which PostgreSQL then ends."""

    @field_validator("database_url", "database_direct_url", "database_replica_url")
    @classmethod
    def _check_database(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        dsn = to_dsn(value.get_secret_value())
        if is_embedded(dsn) and is_deployed(info):
            raise ValueError("must be set: the embedded server is for development")
        return SecretStr(dsn)
