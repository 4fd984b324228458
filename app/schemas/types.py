"""The bounded types that schemas are made of: nothing without a limit reaches the database."""

import re
import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.core.password_policy import is_common

RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
LONGEST_EMAIL = 254
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


def parse_email(value: str) -> str:
    """Give the one spelling under which an address is stored: normalised (UTS 46, NFC) and case-folded.

    Raises ValueError for what is no address. `.test` is accepted: RFC 6761 keeps it for tests.
    """
    parsed = validate_email(value, check_deliverability=False, test_environment=True)
    return unicodedata.normalize("NFC", parsed.normalized.casefold())


def refuse_long(value: str) -> str:
    """Refuse an address that case-folding has made too long for its column."""
    if len(value) > LONGEST_EMAIL:
        raise ValueError("The address is too long")
    return value


def normalize_email(value: str) -> str:
    """Do the same to what somebody gives at a login; what is no address will match no account."""
    try:
        return parse_email(value)
    except EmailNotValidError:
        return value.casefold()


def refuse_common(value: SecretStr) -> SecretStr:
    """Refuse a password that attackers try first."""
    if is_common(value.get_secret_value()):
        raise PydanticCustomError("password_too_common", "This password is too common")
    return value


def refuse_other_times(value: object) -> object:
    """Refuse what pydantic would also take for a time, such as seconds since 1970."""
    if isinstance(value, str) and not RFC_3339.fullmatch(value):
        raise PydanticCustomError("datetime_format", "Input should be a time as in RFC 3339")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(refuse_other_times)]
Email = Annotated[
    str,
    Field(max_length=LONGEST_EMAIL, examples=["ada@example.com"], json_schema_extra={"format": "email"}),
    AfterValidator(parse_email),
    AfterValidator(refuse_long),
]
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
