"""The bounded types that schemas are made of: nothing without a limit reaches the database."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.core.password_policy import is_common

NO_NUL = r"^[^\x00]*$"


class InputModel(BaseModel):
    """What a client sends: unknown fields are refused, and so is a value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class QueryModel(BaseModel):
    """The same for a query string or a form, where every value arrives as text."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class OutputModel(BaseModel):
    """What a client reads, made from rows and objects."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


def normalize_email(value: str) -> str:
    """Give the one spelling under which an address is stored: normalised (UTS 46, NFC) and case-folded.

    What is no address comes back case-folded only: it will match no account.
    """
    try:
        address = validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        address = value
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", address).casefold())


def refuse_common(value: SecretStr) -> SecretStr:
    """Refuse a password that attackers try first."""
    if is_common(value.get_secret_value()):
        raise PydanticCustomError("password_too_common", "This password is too common")
    return value


Email = Annotated[EmailStr, AfterValidator(normalize_email), Field(max_length=254, examples=["ada@example.com"])]
Password = Annotated[
    SecretStr,
    Field(min_length=12, max_length=128, examples=["correct horse battery staple"]),
    AfterValidator(refuse_common),
]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
FullName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL), Field(examples=["Ada Lovelace"])
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL), Field(examples=["Buy milk"])]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL), Field(examples=["Two litres"])]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Field(ge=1, le=100)]
