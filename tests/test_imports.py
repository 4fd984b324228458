"""Modules that the service imports."""

import os
import secrets
import subprocess
import sys

UNUSED = {
    "aiosmtplib": "mails are sent by the job worker",
    "alembic": "migrations are a command",
    "jinja2": "mails are written by the job worker",
    "opentelemetry.sdk": "OTEL_EXPORTER_OTLP_ENDPOINT is not set",
    "redis": "REDIS_URL is not set",
    "sentry_sdk": "SENTRY_DSN is not set",
    "typer": "the command line is replaced by gunicorn",
}


def test_a_web_process_loads_nothing_that_it_does_not_use() -> None:
    """In production the job worker is a separate process."""
    environment = {
        **os.environ,
        "ENVIRONMENT": "production",
        "DATABASE_URL": "postgresql://db.internal/app",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PUBLIC_URL": "https://api.example.com",
        "SMTP_URL": "smtp://mail.example.com",
    }
    code = "import sys, app.main; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert UNUSED.keys() & set(shown.stdout.split()) == set()
