"""The settings, whole: the one place that reads the environment."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SecretsSettingsSource

from app.core.exceptions import ConfigurationError
from app.core.settings.http import HttpSettings
from app.core.settings.security import SecuritySettings
from app.core.settings.work import WorkSettings

SECRETS_DIRECTORY = Path("/run/secrets")


class Settings(SecuritySettings, HttpSettings, WorkSettings):
    """Typed settings: from the environment, then `.env`, then files in `/run/secrets`."""


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
