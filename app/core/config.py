"""The settings, whole: the one place that reads the environment."""

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
"""The least similarity (0 to 1) at which a setting is suggested."""


class Settings(SecuritySettings, HttpSettings, WorkSettings):
    """Typed settings: from the environment, then `.env`, then files in `/run/secrets`."""


def _fault(location: tuple[int | str, ...], message: str) -> str:
    return f"  {str(location[0]).upper()}: {message.removeprefix('Value error, ')}"


def _misspelt() -> list[str]:
    """Find names in `.env` that are nearly those of settings; other names may belong to other programs."""
    known = [name.upper() for name in Settings.model_fields]
    faults = []
    for name in map(str.upper, dotenv_values(ENV_FILE)):
        close = get_close_matches(name, known, n=1, cutoff=SIMILARITY)
        if name not in known and close:
            faults.append(f"  {name}: is not a setting; did you mean {close[0]}?")
    return faults


def load_settings() -> Settings:
    """Read the settings, or raise a ConfigurationError that names the invalid variables.

    If ENVIRONMENT is invalid, the others are not checked, because their rules depend on it.
    """
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    faults = _misspelt()
    try:
        settings = Settings(_secrets_dir=directory)
    except ValidationError as error:
        found = sorted({_fault(e["loc"], e["msg"]) for e in error.errors()})
        # The rules for other settings depend on the environment.
        faults += [fault for fault in found if fault.startswith("  ENVIRONMENT:")] or found
    if faults:
        raise ConfigurationError("\n".join(["The settings are not valid:", *faults]))
    return settings


def setting_sources() -> Mapping[str, str]:
    """Say for each setting that is set where its value comes from."""
    directory = SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None
    sources = {
        "secret file": SecretsSettingsSource(Settings, secrets_dir=directory) if directory else dict,
        ".env": DotEnvSettingsSource(Settings),
        "environment": EnvSettingsSource(Settings),
    }
    return {field: name for name, source in sources.items() for field in source()}
