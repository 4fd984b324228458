"""Deliver mail by SMTP, or write it into a folder."""

import re
from asyncio import to_thread
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog
from uuid_utils.compat import uuid7

from app.core.config import Settings

log = structlog.get_logger(__name__)

LINK = re.compile(r"https?://\S+")
STARTTLS = {"auto": None, "required": True, "never": False}


class MailNotDeliveredError(Exception):
    """The mail was not accepted; a retry may succeed."""


class Mailer(Protocol):
    """An object that delivers messages."""

    async def send(self, message: EmailMessage) -> None:
        """Deliver, or raise MailNotDeliveredError."""


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """Sends each mail to an SMTP server (RFC 5321), with TLS as the URL says, and with timeouts."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    starttls: bool | None
    timeout_seconds: float

    @classmethod
    def from_url(cls, url: str, timeout_seconds: float) -> Self:
        """Read `smtp://user:password@host:587?starttls=required|auto|never` or `smtps://...:465`.

        With a user name STARTTLS is required by default: a password is never sent unencrypted because the server, or an
        attacker in between, did not offer encryption.
        """
        parts = urlsplit(url)
        implicit = parts.scheme == "smtps"
        fallback = "required" if parts.username else "auto"
        mode = parse_qs(parts.query).get("starttls", [fallback])[0]
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or (465 if implicit else 587),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=implicit,
            starttls=False if implicit else STARTTLS[mode],
            timeout_seconds=timeout_seconds,
        )

    async def send(self, message: EmailMessage) -> None:
        """Deliver to every recipient, or raise MailNotDeliveredError."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.use_tls,
                start_tls=self.starttls,
                timeout=self.timeout_seconds,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailNotDeliveredError(_without_addresses(error)) from None


def _without_addresses(error: Exception) -> str:
    """Return why a mail was not accepted, without the message of the server, which may contain the address."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__}{f' {code}' if code else ''}"


@dataclass(frozen=True, slots=True)
class FolderMailer:
    """Writes each mail into a folder, as an `.eml` file that mail programs open."""

    folder: Path
    shows_links: bool

    async def send(self, message: EmailMessage) -> None:
        """Write the file and log its path; in development also its links."""
        path = self.folder / f"{uuid7()}.eml"
        await to_thread(self._write, path, bytes(message))
        body = message.get_body(("plain",))
        links = LINK.findall(body.get_content()) if body and self.shows_links else []
        log.info("mail written", file=str(path), subject=message["Subject"], links=links)

    def _write(self, path: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.touch(mode=0o600)  # It contains a token.
        part.write_bytes(content)
        part.rename(path)  # A file named .eml is complete.


def make_mailer(settings: Settings) -> Mailer:
    """Return a mailer for SMTP_URL, or for the folder."""
    if settings.smtp_url is None:
        return FolderMailer(Path(settings.mail_directory), shows_links=settings.is_development)
    return SmtpMailer.from_url(settings.smtp_url.get_secret_value(), settings.smtp_timeout_seconds)
