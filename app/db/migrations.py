"""Run Alembic on the database of the settings."""

from alembic import command
from alembic.config import Config

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT

SETTINGS_ATTRIBUTE = "settings"


def alembic_config(settings: Settings) -> Config:
    """Return Alembic's configuration: `alembic.ini`, and these settings for `migrations/env.py`."""
    config = Config(PROJECT_ROOT / "alembic.ini")
    config.attributes[SETTINGS_ATTRIBUTE] = settings
    return config


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Upgrade the schema to a revision. Several processes may do so concurrently."""
    command.upgrade(alembic_config(settings), revision)
