"""The mail catcher of development: what the service has sent, as files in MAIL_DIRECTORY."""

import re
from asyncio import to_thread
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, RedirectResponse

from app.browser.origin import require_same_origin
from app.core.exceptions import NotFoundError
from app.dependencies import Public
from app.pages.html import PageRoute, render
from app.state import state_of

MOST = 100
LINK = re.compile(r"https?://[^\s<>\"]+")
router = APIRouter(prefix="/mails", include_in_schema=False, route_class=PageRoute, dependencies=[Public])
Name = Annotated[str, PathParameter(pattern=r"^[0-9a-f-]{36}$")]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was written into a file."""

    name: str
    written_at: datetime
    message: EmailMessage

    def part(self, kind: str) -> str:
        """Return the plain or the HTML text."""
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body else ""

    def segments(self) -> list[tuple[str, str]]:
        """Return the plain text in pieces, each with the link that follows it."""
        text = self.part("plain")
        return list(zip(LINK.split(text), [*LINK.findall(text), ""], strict=True))


def read_mail(path: Path) -> Mail:
    """Read a file."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(path.stem, datetime.fromtimestamp(path.stat().st_mtime, UTC), message)


def read_mails(folder: Path) -> list[Mail]:
    """Return the newest mails; their names are in the order of time."""
    mails = []
    for path in sorted(folder.glob("*.eml"), reverse=True)[:MOST]:
        with suppress(FileNotFoundError):  # It has just been deleted.
            mails.append(read_mail(path))
    return mails


def delete_mails(folder: Path) -> None:
    """Delete all files."""
    for path in folder.glob("*.eml"):
        path.unlink(missing_ok=True)


def folder_of(request: Request) -> Path:
    """Return the folder of the mails."""
    return Path(state_of(request)["settings"].mail_directory)


@router.get("")
async def list_mails(request: Request) -> HTMLResponse:
    """List the mails, newest first."""
    return render(request, "mails.html", mails=await to_thread(read_mails, folder_of(request)))


@router.post("", dependencies=[Depends(require_same_origin)])
async def clear_mails(request: Request) -> RedirectResponse:
    """Delete all mails."""
    await to_thread(delete_mails, folder_of(request))
    return RedirectResponse("/mails", 303)


@router.get("/{name}")
async def show_mail(request: Request, name: Name) -> HTMLResponse:
    """Show the text and the HTML of a mail side by side."""
    try:
        mail = await to_thread(read_mail, folder_of(request) / f"{name}.eml")
    except FileNotFoundError:
        raise NotFoundError from None
    return render(request, "mail.html", mail=mail)
