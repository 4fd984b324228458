"""Token requests and responses (RFC 6749, sections 4.3 and 5)."""

from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from app.schemas.types import NO_NUL, OutputModel, QueryModel, Secret


class TokenRequest(QueryModel):
    """The form of a token request. Unknown parameters are ignored, as RFC 6749 requires."""

    model_config = ConfigDict(extra="ignore")

    grant_type: str = Field(
        default="", max_length=100, pattern=NO_NUL, examples=["password"], description="`password` or `refresh_token`."
    )
    username: str = Field(
        default="",
        max_length=1000,
        pattern=NO_NUL,
        examples=["ada@example.com"],
        description="The e-mail address of the account.",
    )
    password: Secret = Field(default=SecretStr(""), max_length=1024)
    refresh_token: Secret = Field(default=SecretStr(""), max_length=1024)


class TokenRevocation(QueryModel):
    """The form of a revocation (RFC 7009). Unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore")

    token: Secret = Field(min_length=1, max_length=8192, description="An access token or a refresh token.")


class TokenRead(OutputModel):
    """An access token, to be sent as `Authorization: Bearer ...`."""

    access_token: str = Field(max_length=8192)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the name of the scheme
    expires_in: int = Field(ge=1, le=3600, description="Seconds until the access token expires.")
    refresh_token: str = Field(max_length=200, description="Valid for one exchange; the response contains a new one.")
