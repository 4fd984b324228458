"""Settings of secrets, tokens and password hashes."""

import secrets
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.core.settings.database import DatabaseSettings
from app.core.settings.process import SecretList, is_deployed, is_production

MINIMUM_SECRET_BYTES = 32
MINIMUM_DISTINCT_LETTERS = 8
LEAST_HASH_MEMORY_KIB = 7168
LEAST_HASH_WORK = 35_840
"""Memory multiplied by passes, of the cheapest parameters that OWASP lists for argon2id."""
PLACEHOLDERS = ("changeme", "change-me", "change_me", "placeholder", "your-secret", "insecure")


def _refuse_weak(secret: SecretStr, info: ValidationInfo) -> None:
    key = secret.get_secret_value()
    database: SecretStr | None = info.data.get("database_url")
    if not key:
        raise ValueError("must be set")
    if len(key.encode()) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"must have at least {MINIMUM_SECRET_BYTES} bytes")
    is_repetition = key in (key + key)[1:-1]
    if any(word in key.lower() for word in PLACEHOLDERS) or len(set(key)) < MINIMUM_DISTINCT_LETTERS or is_repetition:
        raise ValueError("is a placeholder: make one with `openssl rand -base64 48`")
    if database and unquote(urlsplit(database.get_secret_value()).password or "") == key:
        raise ValueError("must not be the database password too")


class SecuritySettings(DatabaseSettings):
    """Keys, lifetimes and the cost of hashes. SECRET_KEY must differ from the password of the database."""

    secret_key: SecretStr = SecretStr("")
    """Signs tokens and cursors; 32 bytes or more. Unset in development: a new one at each start."""
    secret_key_fallbacks: SecretList = ()
    """Previous keys, which verify and no longer sign."""
    access_token_expire_minutes: int = Field(default=15, ge=1, le=60)
    """The lifetime of an access token."""
    registration_reveals_accounts: bool = True
    """Whether registering with a taken address gives 409. If false, the response is always 202, and the address must be
    verified before the first login."""
    refresh_token_expire_days: int = Field(default=30, ge=1, le=365)
    """The maximum lifetime of a session."""
    session_cache_size: int = Field(default=10_000, ge=1, le=10_000_000)
    """Live sessions that a web process caches, about 600 bytes each; the least recently used are dropped first."""
    browser_session_hours: int = Field(default=12, ge=1, le=720)
    """The maximum lifetime of a session in a cookie."""
    browser_session_idle_minutes: int = Field(default=60, ge=1, le=1440)
    """Minutes without a request after which a session in a cookie ends."""
    session_idle_days: int = Field(default=14, ge=1, le=365)
    """Days without a refresh after which a session ends."""
    refresh_grace_seconds: int = Field(default=10, ge=0, le=60)
    """How long a used refresh token still returns its successor, for lost responses and second tabs."""
    security_log_days: int = Field(default=90, ge=0, le=3650)
    """Days that the table of the security log keeps an event; 0: events are only logged."""
    verify_email_expire_hours: int = Field(default=48, ge=1, le=720)
    """The lifetime of the link that confirms an address."""
    reset_password_expire_minutes: int = Field(default=30, ge=5, le=1440)
    """The lifetime of the link that resets a password."""
    password_hash_memory_kib: int = Field(default=19_456, ge=8, le=1_048_576)
    """The memory of one argon2id hash; the default is OWASP's."""
    password_hash_iterations: int = Field(default=2, ge=1, le=100)
    """The passes of argon2id over its memory; the default is OWASP's."""
    password_hash_threads: int = Field(default=1, ge=1, le=64)
    """Passwords that a process hashes concurrently."""
    password_hash_queue: int = Field(default=64, ge=1, le=10_000)
    """Passwords that may wait for a thread; more get 503."""

    @field_validator("secret_key")
    @classmethod
    def _check_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if is_deployed(info):
            _refuse_weak(value, info)
        return value if value.get_secret_value() else SecretStr(secrets.token_urlsafe(48))

    @field_validator("password_hash_iterations")
    @classmethod
    def _check_hash(cls, value: int, info: ValidationInfo) -> int:
        memory = info.data.get("password_hash_memory_kib", 0)
        if is_production(info) and (memory < LEAST_HASH_MEMORY_KIB or memory * value < LEAST_HASH_WORK):
            raise ValueError(
                "is too cheap with this PASSWORD_HASH_MEMORY_KIB: use one of OWASP's pairs, such as 19456 and 2"
            )
        return value

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _check_fallbacks(cls, value: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        if info.data.get("secret_key") in value:
            raise ValueError("must not contain SECRET_KEY")
        for key in value if is_deployed(info) else ():
            _refuse_weak(key, info)
        return value
