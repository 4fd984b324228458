"""The process: where it runs, what it is called, what it logs."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


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


def is_deployed(info: ValidationInfo) -> bool:
    """Tell whether the rules of production hold; they do where the environment itself is not valid."""
    return info.data.get("environment") is not Environment.DEVELOPMENT


class ProcessSettings(BaseSettings):
    """The root of all groups, so that `environment` is known when any other setting is checked."""

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
    event_loop_block_seconds: Seconds = 1.0
    """Whatever blocks the event loop for longer is logged with its stack."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe level that is logged."""

    otel_exporter_otlp_endpoint: str | None = None
    """Where spans go, by OTLP over HTTP (http://collector:4318); unset: nothing is traced."""
    sentry_dsn: SecretStr | None = None
    """Where unexpected errors are reported; unset: only in the log."""

    @property
    def is_development(self) -> bool:
        """Tell whether the conveniences of development are on."""
        return self.environment is Environment.DEVELOPMENT

    @field_validator("debug")
    @classmethod
    def _refuse_debug(cls, value: bool, info: ValidationInfo) -> bool:
        if value and is_deployed(info):
            raise ValueError("must be off outside development")
        return value
