"""Sessions in cookies."""

from pydantic import Field

from app.schemas.types import Email, GivenPassword, InputModel, OutputModel


class BrowserLogin(InputModel):
    """The e-mail address and the password of an account."""

    email: Email
    password: GivenPassword


class BrowserSessionRead(OutputModel):
    """What a front end needs to know of its session. The cookie is not for scripts."""

    csrf_token: str = Field(max_length=64)
    """Send it as `X-CSRF-Token` with every request that changes something."""
