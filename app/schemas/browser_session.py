"""Sessions in cookies."""

from pydantic import Field

from app.schemas.types import Email, GivenPassword, InputModel, OutputModel


class BrowserLogin(InputModel):
    """The e-mail address and the password of an account."""

    email: Email
    password: GivenPassword


class BrowserSessionRead(OutputModel):
    """The CSRF token of your session. Scripts cannot read the cookie."""

    csrf_token: str = Field(
        max_length=64, description="Send it as `X-CSRF-Token` with every request that changes something."
    )
