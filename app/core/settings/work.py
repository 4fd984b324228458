"""Settings of jobs and mail."""

import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from app.core.settings.process import ProcessSettings, Seconds, is_production


class WorkSettings(ProcessSettings):
    """Jobs and mail."""

    worker_in_process: bool | None = None
    """Run jobs inside the web process; unset: only in development."""
    job_concurrency: int = Field(default=10, ge=2, le=1000)
    """Jobs that a worker runs concurrently."""
    job_heartbeat_timeout_seconds: Seconds = 30.0
    """Seconds without a heartbeat of its worker after which a job is run again."""
    worker_heartbeat_file: str = str(Path(tempfile.gettempdir()) / "worker-heartbeat")
    """The file that a worker touches while its event loop runs; `python -m app worker --check` reads it."""

    smtp_url: SecretStr | None = None
    """smtp://user:password@host:587 or smtps://...:465; unset: each mail is a file in MAIL_DIRECTORY."""
    smtp_timeout_seconds: Seconds = 10.0
    """Timeout for each step of a delivery."""
    mail_from: str = Field(default="dayone <no-reply@localhost>", pattern=r"^[^\r\n\x00]+$", max_length=320)
    """The sender of every mail."""
    mail_directory: str = "var/mail"
    """Where mails are written when there is no SMTP server."""

    @property
    def runs_worker_in_process(self) -> bool:
        """Return whether the web process runs jobs."""
        return self.is_development if self.worker_in_process is None else self.worker_in_process

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and is_production(info):
            raise ValueError("must be set in production: without it mails, which hold tokens, are files")
        parts = urlsplit(value.get_secret_value() if value else "smtp://unset")
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be smtp://host or smtps://host")
        if parse_qs(parts.query).get("starttls", ["auto"])[0] not in ("auto", "required", "never"):
            raise ValueError("starttls must be auto, required or never")
        if (
            is_production(info)
            and parts.scheme == "smtp"
            and parts.username
            and parse_qs(parts.query).get("starttls") == ["never"]
        ):
            raise ValueError("starttls=never would send the password in clear")
        return value
