"""Runs Alembic against the database of the settings."""

from alembic import command
from alembic.config import Config

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT

SETTINGS_ATTRIBUTE = "settings"


def alembic_config(settings: Settings) -> Config:
    """Configure Alembic as `alembic.ini` says, with these settings for `migrations/env.py`."""
    config = Config(PROJECT_ROOT / "alembic.ini")
    config.attributes[SETTINGS_ATTRIBUTE] = settings
    return config


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the schema up to a revision; several processes may do so at the same time."""
    command.upgrade(alembic_config(settings), revision)
