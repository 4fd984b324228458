"""What people send to change, confirm or recover their account."""

from pydantic import Field

from app.schemas.types import Email, GivenPassword, InputModel, Password, Secret


class PasswordChange(InputModel):
    """A new password, and proof of the old one."""

    current_password: GivenPassword
    new_password: Password


class EmailChange(InputModel):
    """A new address, and proof of who asks."""

    email: Email
    password: GivenPassword


class AccountDeletion(InputModel):
    """Proof of who asks."""

    password: GivenPassword


class EmailVerification(InputModel):
    """The token from the mail."""

    token: Secret = Field(min_length=1, max_length=200)


class PasswordForgotten(InputModel):
    """Whose password is forgotten."""

    email: Email


class PasswordReset(InputModel):
    """The token from the mail, and a new password."""

    token: Secret = Field(min_length=1, max_length=200)
    new_password: Password
