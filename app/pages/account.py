"""Where the links in mails lead if FRONTEND_URL is unset: confirm an address, or set a new password."""

from typing import Annotated, NamedTuple, TypeVar

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ValidationError

from app.api.v1.auth import LINKS, Recovery
from app.browser.origin import require_same_origin
from app.core.refusals import PasswordTooCommonError, TokenInvalidError
from app.dependencies import Public
from app.pages.html import PageRoute, render
from app.schemas.account import EmailVerification, PasswordReset

Data = TypeVar("Data", bound=BaseModel)
TEMPLATE = "link.html"
Token = Annotated[str, Form(max_length=200)]
NewPassword = Annotated[str, Form(max_length=1024)]
router = APIRouter(include_in_schema=False, route_class=PageRoute, dependencies=[Public])
SENDING = [Depends(require_same_origin), LINKS]


MESSAGES = {
    "too_short": "Use at least 12 characters, and the whole link of the mail.",
    "too_long": "Use at most 128 characters.",
}
"""What people read instead of Pydantic's messages about secrets."""


class Link(NamedTuple):
    """The texts of a page that a link leads to."""

    title: str
    action: str
    done: str
    asks_password: bool = False


VERIFY = Link("Confirm your address", "Confirm this address", "Your address is confirmed. You can close this page.")
CHANGE = Link("Confirm your new address", "Confirm this address", "Your address is changed. Log in again.")
RESET = Link("Choose a new password", "Set the password", "Your password is set. Log in with it.", asks_password=True)


@router.get("/verify-email")
async def show_verification(request: Request) -> HTMLResponse:
    """Ask for a click: programs that follow the links of a mail must not use them up."""
    return render(request, TEMPLATE, link=VERIFY, token="", errors=[], is_done=False)


@router.get("/change-email")
async def show_change(request: Request) -> HTMLResponse:
    """Ask for a click."""
    return render(request, TEMPLATE, link=CHANGE, token="", errors=[], is_done=False)


@router.get("/reset-password")
async def show_reset(request: Request) -> HTMLResponse:
    """Ask for the new password."""
    return render(request, TEMPLATE, link=RESET, token="", errors=[], is_done=False)


@router.post("/verify-email", dependencies=SENDING)
async def confirm_address(request: Request, recovery: Recovery, token: Token = "") -> HTMLResponse:
    """Verify the address."""
    return await _confirm(request, recovery, VERIFY, token)


@router.post("/change-email", dependencies=SENDING)
async def confirm_new_address(request: Request, recovery: Recovery, token: Token = "") -> HTMLResponse:
    """Change the address to the new one."""
    return await _confirm(request, recovery, CHANGE, token)


@router.post("/reset-password", dependencies=SENDING)
async def set_password(
    request: Request, recovery: Recovery, token: Token = "", new_password: NewPassword = ""
) -> HTMLResponse:
    """Set the password, or show what is wrong with it."""
    data, errors = _read(PasswordReset, token=token, new_password=new_password)
    if data is not None:
        try:
            await recovery.reset_password(data)
        except (TokenInvalidError, PasswordTooCommonError) as error:
            await recovery.db.rollback()
            errors = [error.detail]
    return _result(request, RESET, token, errors)


async def _confirm(request: Request, recovery: Recovery, link: Link, token: str) -> HTMLResponse:
    data, errors = _read(EmailVerification, token=token)
    if data is not None:
        try:
            await recovery.verify_email(data.token.get_secret_value())
        except (TokenInvalidError, PasswordTooCommonError) as error:
            await recovery.db.rollback()
            errors = [error.detail]
    return _result(request, link, token, errors)


def _read(schema: type[Data], **values: str) -> tuple[Data | None, list[str]]:
    """Return the data of a form, or what is wrong with it."""
    try:
        return schema.model_validate(values), []
    except ValidationError as error:
        return None, [MESSAGES.get(problem["type"], problem["msg"]) for problem in error.errors(include_input=False)]


def _result(request: Request, link: Link, token: str, errors: list[str]) -> HTMLResponse:
    """Show the page again with its errors, or that it is done."""
    status = 422 if errors else 200
    return render(request, TEMPLATE, status=status, link=link, token=token, errors=errors, is_done=not errors)
