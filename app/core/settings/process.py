"""Settings of the process: environment, name, logging."""

import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Environment(StrEnum):
    """The environment of the process. Settings that are unsafe there are refused."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


def split_list(value: object) -> object:
    """Read `a, b` or a JSON array as a list: both are common in environment variables."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be a list: a,b or ["a", "b"]') from None
    return [part.strip() for part in value.split(",") if part.strip()]


def upper(value: object) -> object:
    """Return a name in upper case."""
    return value.upper() if isinstance(value, str) else value


StringList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split_list)]
Seconds = Annotated[float, Field(gt=0, le=600)]


def is_deployed(info: ValidationInfo) -> bool:
    """Return whether the rules of staging and production apply."""
    return info.data.get("environment") in (Environment.STAGING, Environment.PRODUCTION)


def is_production(info: ValidationInfo) -> bool:
    """Return whether the rules of production apply. Staging may run without TLS and mail, and with cheap hashes."""
    return info.data.get("environment") is Environment.PRODUCTION


class ProcessSettings(BaseSettings):
    """The base class of all groups, so that `environment` is validated before every other setting."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        defer_build=True,  # Of these classes only Settings is used.
        hide_input_in_errors=True,
        validate_default=True,
    )

    environment: Environment = Environment.DEVELOPMENT
    """development, staging or production."""
    project_name: str = "dayone"
    """The name of the service, in the documentation, in mails and in tokens."""
    version: str = "0.1.0"
    """The version of the service, in the documentation."""
    debug: bool = False
    """Log every SQL statement; refused outside development."""
    event_loop_block_seconds: Seconds = 1.0
    """Blocking the event loop for longer is logged with the stack."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(upper)] = "INFO"
    """The minimum log level."""

    otel_exporter_otlp_endpoint: str | None = None
    """The OTLP/HTTP endpoint for spans (http://collector:4318); unset: no traces."""
    sentry_dsn: SecretStr | None = None
    """The Sentry DSN for error reports; unset: errors are only logged."""

    @property
    def is_development(self) -> bool:
        """Return whether the service runs in development."""
        return self.environment is Environment.DEVELOPMENT

    @property
    def has_docs(self) -> bool:
        """Return whether the API documentation is served: not in production."""
        return self.environment is not Environment.PRODUCTION

    @field_validator("debug")
    @classmethod
    def _refuse_debug(cls, value: bool, info: ValidationInfo) -> bool:
        if value and is_deployed(info):
            raise ValueError("must be off outside development")
        return value
