"""The settings. Only this module reads the environment."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, SecretsSettingsSource

from app.core.exceptions import ConfigurationError
from app.core.settings.http import HttpSettings
from app.core.settings.security import SecuritySettings
from app.core.settings.work import WorkSettings

SECRETS_DIRECTORY = Path("/run/secrets")
ENV_FILE = ".env"
SIMILARITY = 0.85
"""The minimum similarity (0 to 1) at which a setting is suggested."""


class Settings(SecuritySettings, HttpSettings, WorkSettings):
    """Typed settings: from the environment, then `.env`, then files in `/run/secrets`."""


def _message(location: tuple[int | str, ...], message: str) -> str:
    return f"  {str(location[0]).upper()}: {message.removeprefix('Value error, ')}"


def _misspelt() -> list[str]:
    """Return the names in `.env` that resemble those of settings; other names may belong to other programs."""
    known = [name.upper() for name in Settings.model_fields]
    errors = []
    for name in map(str.upper, dotenv_values(ENV_FILE)):
        close = get_close_matches(name, known, n=1, cutoff=SIMILARITY)
        if name not in known and close:
            errors.append(f"  {name}: is not a setting; did you mean {close[0]}?")
    return errors


def load_settings() -> Settings:
    """Read the settings, or raise a ConfigurationError that names the invalid variables.

    If ENVIRONMENT is invalid, the others are not checked, because their rules depend on it.
    """
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    errors = _misspelt()
    try:
        settings = Settings(_secrets_dir=directory)
    except ValidationError as error:
        found = sorted({_message(e["loc"], e["msg"]) for e in error.errors()})
        # The rules for other settings depend on the environment.
        errors += [message for message in found if message.startswith("  ENVIRONMENT:")] or found
    if errors:
        raise ConfigurationError("\n".join(["The settings are not valid:", *errors]))
    return settings


def setting_sources() -> Mapping[str, str]:
    """Return the source of each setting that is set."""
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    sources = {
        "secret file": SecretsSettingsSource(Settings, secrets_dir=directory) if directory else dict,
        ".env": DotEnvSettingsSource(Settings),
        "environment": EnvSettingsSource(Settings),
    }
    return {field: name for name, source in sources.items() for field in source()}
