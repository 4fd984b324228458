"""Settings."""

from pathlib import Path

import pytest

from app.core.config import Settings, load_settings, setting_sources
from app.core.database_url import embedded_database_url
from app.core.exceptions import ConfigurationError

GOOD_KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": GOOD_KEY,
    "DATABASE_URL": "postgresql://app:db-password@db.internal/app",
    "PUBLIC_URL": "https://api.example.com",
    "SMTP_URL": "smtp://mail.example.com",
}


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def startup_errors(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """Return the message of the error that stops the process in this environment."""
    for name, value in (PRODUCTION | environment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings()
    return str(refusal.value)


def test_development_needs_nothing() -> None:
    """A secret is generated."""
    settings = load_settings()
    assert settings.is_development
    assert settings.database_url.get_secret_value() == embedded_database_url()
    assert len(settings.secret_key.get_secret_value()) >= 32


def test_production_starts_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are the minimum settings of production."""
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    assert not load_settings().is_development


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: must be set"),
        ({"SECRET_KEY": "0123456789abcdefghijklmnopqrstu"}, "SECRET_KEY: must have at least 32 bytes"),
        ({"SECRET_KEY": "change-me-change-me-change-me-change-me"}, "SECRET_KEY: is a placeholder"),
        ({"SECRET_KEY": "a" * 40}, "SECRET_KEY: is a placeholder"),
        ({"DATABASE_URL": f"postgresql://app:{GOOD_KEY}@db/app"}, "SECRET_KEY: must not be the database password"),
        ({"SECRET_KEY_FALLBACKS": GOOD_KEY}, "SECRET_KEY_FALLBACKS: must not contain SECRET_KEY"),
        ({"SECRET_KEY_FALLBACKS": "short"}, "SECRET_KEY_FALLBACKS: "),
        ({"DATABASE_URL": ""}, "DATABASE_URL: must be set"),
        ({"DATABASE_URL": "sqlite:///app.db"}, "DATABASE_URL: must be a postgresql:// URL"),
        ({"DATABASE_REPLICA_URL": "mysql://db/app"}, "DATABASE_REPLICA_URL: must be a postgresql:// URL"),
        ({"ALLOWED_ORIGINS": "https://a.example, *"}, "ALLOWED_ORIGINS: must not be the wildcard"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: must not be the wildcard"),
        ({"DEBUG": "true"}, "DEBUG: must be off"),
        ({"SECRET_KEY": "abcdefgh" * 5}, "SECRET_KEY: is a placeholder"),
        ({"FORWARDED_ALLOW_IPS": "0.0.0.0/0"}, "FORWARDED_ALLOW_IPS: must not be every address"),
        ({"METRICS_ALLOW_IPS": "::/0"}, "METRICS_ALLOW_IPS: must not be every address"),
        ({"PUBLIC_URL": "http://api.example.com"}, "PUBLIC_URL: must begin with https://"),
        ({"PUBLIC_URL": "javascript:alert(1)"}, "PUBLIC_URL: must be an address"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL: must be set"),
        ({"RATE_LIMIT_ENABLED": "false"}, "RATE_LIMIT_ENABLED: must be on"),
        ({"PASSWORD_HASH_MEMORY_KIB": "8"}, "PASSWORD_HASH_ITERATIONS: is too cheap"),
        ({"SMTP_URL": ""}, "SMTP_URL: must be set"),
        ({"SMTP_URL": "smtp://u:p@mail?starttls=never"}, "SMTP_URL: starttls=never would send"),
        ({"ALLOWED_ORIGINS": "http://app.example.com"}, "ALLOWED_ORIGINS: must begin with https://"),
        ({"FRONTEND_URL": "http://app.example.com"}, "FRONTEND_URL: must begin with https://"),
        ({"ALLOWED_ORIGINS": "app.example.com"}, "ALLOWED_ORIGINS: must be origins"),
        ({"ALLOWED_ORIGINS": "https://app.example.com/"}, "ALLOWED_ORIGINS: must be origins"),
        ({"DATABASE_URL": "postgresql://u:p@ss@db/app"}, "DATABASE_URL: has an @"),
        ({"ENVIRONMENT": "prod"}, "ENVIRONMENT: "),
        ({"PORT": "65536"}, "PORT: "),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str) -> None:
    """Unsafe settings are refused by the name of their variable."""
    assert message in startup_errors(monkeypatch, **environment)


def test_one_message_lists_every_invalid_setting_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """All settings can be fixed in one step, and the log contains no secret."""
    said = startup_errors(
        monkeypatch,
        SECRET_KEY="canary-key",
        DATABASE_URL="mysql://canary-user@db",
        ALLOWED_ORIGINS="*",
        PORT="canary-port",
        ENVIRONMENT="staging",
    )
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == [
        "ALLOWED_ORIGINS",
        "DATABASE_URL",
        "PORT",
        "SECRET_KEY",
    ]
    assert "canary" not in said


def test_the_environment_wins_over_the_env_file_over_secret_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source of each setting is recorded."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("HOST", "PORT", "LOG_LEVEL"):
        (secrets / name).write_text({"HOST": "10.0.0.1", "PORT": "1", "LOG_LEVEL": "ERROR"}[name])
    (tmp_path / ".env").write_text("HOST=10.0.0.2\nPORT=2\n")
    monkeypatch.setenv("HOST", "10.0.0.3")
    monkeypatch.setattr("app.core.config.SECRETS_DIRECTORY", secrets)
    settings = load_settings()
    assert (settings.host, settings.port, settings.log_level) == ("10.0.0.3", 2, "ERROR")
    assert setting_sources() == {"host": "environment", "port": ".env", "log_level": "secret file"}


@pytest.mark.parametrize(
    "written", ["https://a.example, https://b.example", '["https://a.example","https://b.example"]']
)
def test_lists_are_written_with_commas_or_as_json(written: str) -> None:
    """Both forms are common in environment variables."""
    settings = Settings(_env_file=None, allowed_origins=written)
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


def test_an_unknown_environment_is_the_only_error_that_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules for other settings depend on it."""
    said = startup_errors(monkeypatch, ENVIRONMENT="prod", DATABASE_URL="", SMTP_URL="")
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == ["ENVIRONMENT"]


def test_a_misspelt_name_in_the_env_file_is_refused(tmp_path: Path) -> None:
    """The message suggests the right name; variables of other programs are ignored."""
    (tmp_path / ".env").write_text("RATE_LIMT_ENABLED=false\nALGORITHM=HS256\n")
    with pytest.raises(ConfigurationError, match=r"RATE_LIMT_ENABLED: .* RATE_LIMIT_ENABLED") as refusal:
        load_settings()
    assert "ALGORITHM" not in str(refusal.value)


def test_the_settings_of_the_brief_are_accepted(tmp_path: Path) -> None:
    """The spelling of common tutorials is accepted."""
    (tmp_path / ".env").write_text(
        "ACCESS_TOKEN_EXPIRE_MINUTES=30\nALGORITHM=HS256\nLOG_LEVEL=debug\nAPI_V1_SUNSET=2030-01-01\n"
        'ALLOWED_ORIGINS=["http://localhost:3000","https://yourfrontend.com"]\nPORT=8001\n'
    )
    settings = load_settings()
    assert settings.allowed_origins == ("http://localhost:3000", "https://yourfrontend.com")
    assert (settings.access_token_expire_minutes, settings.log_level) == (30, "DEBUG")
    assert str(settings.api_v1_sunset) == "2030-01-01 00:00:00+00:00"
    assert settings.public_url == settings.link_base == "http://localhost:8001"


def test_the_host_of_the_public_url_is_served() -> None:
    """This is the default of ALLOWED_HOSTS."""
    assert "api.example" in Settings(_env_file=None, public_url="https://api.example/base").served_hosts
    assert Settings(_env_file=None, allowed_hosts="a.example").served_hosts == ("a.example",)
