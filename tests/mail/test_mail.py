"""Messages and their delivery to a real SMTP server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from app.mail.mailer import FolderMailer, MailNotDeliveredError, SmtpMailer, make_mailer
from app.mail.message import MessageFactory
from tests.conftest import make_settings

DSN = "postgresql://nowhere/app"
FACTORY = MessageFactory.create(
    sender="dayone <no-reply@example.com>", project_name="dayone", link_base="https://example.com"
)


def message_to(name: str | None = "Ada") -> EmailMessage:
    """Return a message."""
    link = "https://example.com/reset-password#token=x"
    return FACTORY.render("reset_password", "ada@example.com", message_id="job-1", full_name=name, link=link, hours=1)


class Server:
    """Collects or refuses messages."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.received: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: N802
        """Respond to the end of a message."""
        del server, session
        if self.refusal:
            return self.refusal
        self.received.append(envelope)
        return "250 OK"


@asynccontextmanager
async def listening(factory: Callable[[], asyncio.BaseProtocol]) -> AsyncIterator[str]:
    """Serve a protocol on a free port; return its URL."""
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def smtp(handler: Server) -> Callable[[], SMTP]:
    """Run an SMTP server with this handler."""
    return lambda: SMTP(handler, loop=asyncio.get_running_loop())


class Breaks(asyncio.Protocol):
    """Greets, and closes the connection after the first command; or never responds."""

    def __init__(self, greeting: bytes | None) -> None:
        self.greeting = greeting

    def connection_made(self, transport: Any) -> None:
        """Send the greeting, or nothing."""
        self.transport = transport
        if self.greeting:
            transport.write(self.greeting)

    def data_received(self, data: bytes) -> None:
        """Close the connection."""
        del data
        self.transport.close()


async def test_a_mail_arrives_whole() -> None:
    """It has both parts, the sender and the recipient."""
    server = Server()
    async with listening(smtp(server)) as url:
        await SmtpMailer.from_url(url, 5).send(message_to())
    [envelope] = server.received
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=SMTP_POLICY)
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert message["Subject"] == "Reset your password at dayone"
    assert message["Message-ID"] == "<job-1@example.com>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Hello Ada," in plain.get_content()
    assert '<a href="https://example.com/reset-password#token=x">' in html.get_content()


@pytest.mark.parametrize("refusal", ["451 try again later", "554 no"])
async def test_a_refusal_is_an_error(refusal: str) -> None:
    """The job is retried, and then kept as failed."""
    async with listening(smtp(Server(refusal))) as url:
        with pytest.raises(MailNotDeliveredError, match=refusal[:3]):
            await SmtpMailer.from_url(url, 5).send(message_to())


@pytest.mark.parametrize(("greeting", "seconds"), [(b"220 hello\r\n", 5.0), (None, 0.2)], ids=["closes", "is silent"])
async def test_a_server_that_breaks_off_is_an_error(greeting: bytes | None, seconds: float) -> None:
    """It closes the connection or never responds; every wait is bounded."""
    async with listening(lambda: Breaks(greeting)) as url:
        with pytest.raises(MailNotDeliveredError):
            await SmtpMailer.from_url(url, seconds).send(message_to())


async def test_no_server_is_an_error() -> None:
    """This includes refused connections."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(MailNotDeliveredError):
        await SmtpMailer.from_url(f"smtp://127.0.0.1:{port}", 5).send(message_to())


async def test_a_password_never_goes_out_in_clear() -> None:
    """The delivery fails if the server offers no encryption."""
    server = Server()
    async with listening(smtp(server)) as url:
        with pytest.raises(MailNotDeliveredError):
            await SmtpMailer.from_url(url.replace("//", "//user:canary@"), 5).send(message_to())
    assert server.received == []


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "starttls"),
    [
        ("smtp://h", 587, False, None),
        ("smtp://u:p%40@h:25", 25, False, True),
        ("smtp://u:p@h?starttls=never", 587, False, False),
        ("smtps://u:p@h", 465, True, False),
    ],
)
def test_the_url_says_how_to_encrypt(url: str, port: int, use_tls: bool, starttls: bool | None) -> None:
    """The usual ports are the defaults."""
    mailer = make_mailer(make_settings(DSN, smtp_url=url))
    assert isinstance(mailer, SmtpMailer)
    assert (mailer.port, mailer.use_tls, mailer.starttls) == (port, use_tls, starttls)


@pytest.mark.parametrize("url", ["http://h", "smtp://", "smtp://h?starttls=maybe"])
def test_other_urls_are_refused(url: str) -> None:
    """At startup, not at the first mail."""
    with pytest.raises(ValueError, match="must be"):
        make_settings(DSN, smtp_url=url)


@pytest.mark.parametrize("environment", ["development", "staging"])
async def test_without_a_server_mails_are_files(
    tmp_path: Path, logs: pytest.LogCaptureFixture, environment: str
) -> None:
    """In development the log has the link; elsewhere a link may be a secret."""
    settings = make_settings(DSN, mail_directory=str(tmp_path), environment=environment)
    mailer = make_mailer(settings)
    assert isinstance(mailer, FolderMailer)
    await mailer.send(message_to())
    [file] = tmp_path.glob("*.eml")
    assert message_from_bytes(file.read_bytes())["To"] == "ada@example.com"
    assert ("https://example.com" in logs.text) is (environment == "development")


def test_a_name_cannot_add_headers_or_markup_to_a_mail() -> None:
    """Line breaks are removed from headers, and tags are escaped."""
    message = message_to("Eve\r\nBcc: all@example.com\r\n<script>")
    assert message["Bcc"] is None
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    subject = FACTORY.templates.from_string("{{ full_name }}").render(full_name="a\r\nBcc: b")
    assert "\n" not in " ".join(subject.split())
