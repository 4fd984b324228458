"""Requests to change, confirm or recover an account."""

from pydantic import Field

from app.schemas.types import Email, GivenPassword, InputModel, Password, Secret


class PasswordChange(InputModel):
    """A new password, and the current one."""

    current_password: GivenPassword
    new_password: Password


class EmailChange(InputModel):
    """A new e-mail address, and the password."""

    email: Email
    password: GivenPassword


class AccountDeletion(InputModel):
    """The password of the account to delete."""

    password: GivenPassword


class EmailVerification(InputModel):
    """The token from the mail."""

    token: Secret = Field(min_length=1, max_length=200)


class PasswordForgotten(InputModel):
    """The e-mail address of the account."""

    email: Email


class PasswordReset(InputModel):
    """The token from the mail, and a new password."""

    token: Secret = Field(min_length=1, max_length=200)
    new_password: Password
