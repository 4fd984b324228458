"""The settings: the one place that reads the environment."""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from app.core.database_url import embedded_database_url, is_embedded, to_dsn
from app.core.exceptions import ConfigurationError

SECRETS_DIRECTORY = Path("/run/secrets")
MINIMUM_SECRET_BYTES = 32
MINIMUM_DISTINCT_LETTERS = 8
PLACEHOLDERS = ("changeme", "change-me", "change_me", "placeholder", "your-secret", "insecure")


class Environment(StrEnum):
    """Where the process runs; whatever is not development is held to the rules of production."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


def split_commas(value: object) -> object:
    """Read `a, b` as a list, the way people write one in an environment variable."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


StringList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_commas)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Settings(BaseSettings):
    """Typed settings: from the environment, then `.env`, then files in `/run/secrets`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    environment: Environment = Environment.DEVELOPMENT
    """development, staging or production."""
    project_name: str = "dayone"
    """The name in the documentation and in tokens."""
    version: str = "0.1.0"
    """The version in the documentation."""
    debug: bool = False
    """Log every SQL statement; refused outside development."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe level that is logged."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The port to listen on."""
    web_concurrency: int = Field(default=1, ge=1, le=256)
    """Worker processes; (2 x cores) + 1 is a starting point in production."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose X-Forwarded-* headers are believed: addresses and networks."""
    public_url: str = "http://localhost:8000"
    """The address under which clients reach the service; also the issuer of its tokens."""
    allowed_hosts: StringList = ()
    """Host headers that are served; unset: the host of PUBLIC_URL and the loopback names."""
    allowed_origins: StringList = ()
    """Browser origins that may call the API (CORS)."""
    max_body_bytes: int = Field(default=1_048_576, ge=1024, le=1_073_741_824)
    """The largest request body."""
    shutdown_timeout_seconds: int = Field(default=30, ge=1, le=3600)
    """How long requests in flight may take to finish after SIGTERM."""

    database_url: SecretStr = Field(default_factory=lambda: SecretStr(embedded_database_url()))
    """PostgreSQL 15 or newer; unset in development: the embedded server of `make run`."""
    database_replica_url: SecretStr | None = None
    """A read replica; unset: reads go to DATABASE_URL."""
    database_pool_size: int = Field(default=10, ge=1, le=100)
    """Connections that a process holds to a database at most."""
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

    secret_key: SecretStr = SecretStr("")
    """Signs tokens and cursors: 32 bytes or more; unset in development: a new one at each start."""
    secret_key_fallbacks: SecretList = ()
    """Former keys, which still verify and no longer sign."""
    access_token_expire_minutes: int = Field(default=15, ge=1, le=15)
    """The lifetime of an access token."""
    password_hash_memory_kib: int = Field(default=19_456, ge=8, le=1_048_576)
    """The memory of one argon2id hash; the default is OWASP's."""
    password_hash_iterations: int = Field(default=2, ge=1, le=100)
    """The passes of argon2id over its memory; the default is OWASP's."""
    password_hash_threads: int = Field(default=1, ge=1, le=64)
    """Passwords that a process hashes at the same time."""
    password_hash_queue: int = Field(default=64, ge=1, le=10_000)
    """Passwords that may wait for such a thread; beyond that 503."""

    @property
    def is_development(self) -> bool:
        """Tell whether the conveniences of development are on."""
        return self.environment is Environment.DEVELOPMENT

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """Name the hosts that are answered, without ports."""
        public = urlsplit(self.public_url).hostname or "localhost"
        return self.allowed_hosts or (public, "localhost", "127.0.0.1", "[::1]")

    @field_validator("debug")
    @classmethod
    def _refuse_debug(cls, value: bool, info: ValidationInfo) -> bool:
        if value and _is_deployed(info):
            raise ValueError("must be off outside development")
        return value

    @field_validator("allowed_hosts", "allowed_origins")
    @classmethod
    def _refuse_wildcards(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "*" in value and _is_deployed(info):
            raise ValueError("must not be the wildcard * outside development")
        return value

    @field_validator("database_url", "database_replica_url")
    @classmethod
    def _check_database(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        dsn = to_dsn(value.get_secret_value())
        if is_embedded(dsn) and _is_deployed(info):
            raise ValueError("must be set: the embedded server is for development")
        return SecretStr(dsn)

    @field_validator("secret_key")
    @classmethod
    def _check_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if _is_deployed(info):
            _refuse_weak(value, info)
        return value if value.get_secret_value() else SecretStr(secrets.token_urlsafe(48))

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _check_fallbacks(cls, value: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        if info.data.get("secret_key") in value:
            raise ValueError("must not contain SECRET_KEY")
        for key in value if _is_deployed(info) else ():
            _refuse_weak(key, info)
        return value


def _is_deployed(info: ValidationInfo) -> bool:
    return info.data.get("environment") is not Environment.DEVELOPMENT


def _refuse_weak(secret: SecretStr, info: ValidationInfo) -> None:
    key = secret.get_secret_value()
    database: SecretStr | None = info.data.get("database_url")
    if not key:
        raise ValueError("must be set")
    if len(key.encode()) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"must have at least {MINIMUM_SECRET_BYTES} bytes")
    if any(word in key.lower() for word in PLACEHOLDERS) or len(set(key)) < MINIMUM_DISTINCT_LETTERS:
        raise ValueError("is a placeholder: make one with `openssl rand -base64 48`")
    if database and unquote(urlsplit(database.get_secret_value()).password or "") == key:
        raise ValueError("must not be the database password too")


def _fault(location: tuple[int | str, ...], message: str) -> str:
    return f"  {str(location[0]).upper()}: {message.removeprefix('Value error, ')}"


def load_settings() -> Settings:
    """Read the settings, or raise a ConfigurationError that names every variable at fault at once."""
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    try:
        return Settings(_secrets_dir=directory)
    except ValidationError as error:
        faults = sorted({_fault(e["loc"], e["msg"]) for e in error.errors()})
        raise ConfigurationError("\n".join(["The settings are not valid:", *faults])) from None


def setting_sources() -> Mapping[str, str]:
    """Say for each setting that is set where its value comes from."""
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    sources = {
        "secret file": SecretsSettingsSource(Settings, secrets_dir=directory) if directory else dict,
        ".env": DotEnvSettingsSource(Settings),
        "environment": EnvSettingsSource(Settings),
    }
    return {field: name for name, source in sources.items() for field in source()}
