"""Bounded types for schemas: every value that reaches the database has a limit."""

import re
import unicodedata
from email.errors import MessageError
from email.headerregistry import Address
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.core.password_policy import is_common
from app.db.base import Base

RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
LONGEST_EMAIL = 254
NO_NUL = r"^[^\x00]*$"
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


# Fields are described with `Field(description=...)`: pydantic reads docstrings of fields from the source of each class,
# which would make the import of the application 5 % slower (`python -m benchmarks.against`).
class InputModel(BaseModel):
    """A JSON body. Unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class QueryModel(BaseModel):
    """A query string or a form, where every value is text. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class OutputModel(BaseModel):
    """A response, made from instances, rows and objects."""

    model_config = ConfigDict(from_attributes=True)

    _field_names: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401  as pydantic calls it
        """Note the names of the fields."""
        cls._field_names = frozenset(cls.model_fields)

    @model_validator(mode="before")
    @classmethod
    def read_loaded_attributes(cls, value: Any) -> Any:  # noqa: ANN401  anything that a handler returns
        """Read a mapped instance from its dictionary: SQLAlchemy's attributes take 1.4 microseconds more for six."""
        if isinstance(value, Base) and value.__dict__.keys() >= cls._field_names:
            return value.__dict__
        return value


def parse_email(value: str) -> str:
    """Return an address as it is stored: local part in lower case, domain by IDNA 2008.

    Raises ValueError for what is not an address, and for addresses that the mailer cannot send to: a local part
    outside ASCII needs SMTPUTF8. `.test` is accepted: RFC 6761 reserves it for tests.
    """
    # Not at the start: it takes 20 ms to import.
    from email_validator import validate_email  # noqa: PLC0415

    parsed = validate_email(value, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    try:
        Address(addr_spec=parsed.ascii_email or "")
    except (MessageError, ValueError):
        raise ValueError("No mail can be sent to this address") from None
    email = f"{parsed.local_part.lower()}@{parsed.domain}"
    if len(email) > LONGEST_EMAIL:
        raise ValueError("The address is too long")
    return email


def normalize_email(value: str) -> str:
    """Return the normalised user name of a login; one that is not an address matches no account."""
    try:
        return parse_email(value)
    except ValueError:
        return unicodedata.normalize("NFC", value).lower()


def refuse_unencodable(value: SecretStr) -> SecretStr:
    """Refuse lone surrogates, which UTF-8 cannot encode."""
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "Input should be valid Unicode text") from None
    return value


def refuse_common(value: SecretStr) -> SecretStr:
    """Refuse a password that attackers try first."""
    if is_common(value.get_secret_value()):
        raise PydanticCustomError("password_too_common", "This password is too common")
    return value


def refuse_other_times(value: object) -> object:
    """Refuse other spellings of a time that Pydantic accepts, such as seconds since 1970."""
    if isinstance(value, str) and not RFC_3339.fullmatch(value):
        raise PydanticCustomError("datetime_format", "Input should be a time as in RFC 3339")
    return value


Id = Annotated[
    UUID, PlainSerializer(str, return_type=str, when_used="json"), WithJsonSchema({"type": "string", "format": "uuid"})
]
"""A key as clients read it. asyncpg returns a subclass of UUID, for which Pydantic takes twice as long as for `str`:
9 microseconds of a list of 20."""
Timestamp = Annotated[AwareDatetime, BeforeValidator(refuse_other_times)]
Email = Annotated[
    str,
    Field(max_length=LONGEST_EMAIL, examples=["ada@example.com"], json_schema_extra={"format": "email"}),
    AfterValidator(parse_email),
]
Secret = Annotated[SecretStr, AfterValidator(refuse_unencodable)]
"""Use it for every password or token that a client sends."""
Password = Annotated[
    Secret,
    Field(min_length=12, max_length=128, examples=["correct horse battery staple"]),
    AfterValidator(refuse_common),
]
GivenPassword = Annotated[Secret, Field(min_length=1, max_length=1024)]
FullName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE), Field(examples=["Ada Lovelace"])
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL), Field(examples=["Buy milk"])]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL), Field(examples=["Two litres"])]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Field(ge=1, le=100)]
