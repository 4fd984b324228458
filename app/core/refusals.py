"""Domain errors of accounts, jobs and idempotency keys."""

from collections.abc import Mapping
from typing import ClassVar

from app.core.exceptions import BadRequestError, ConflictError, ForbiddenError, ValidationFailedError


class InvalidGrantError(BadRequestError):
    """The e-mail address, the password or the refresh token is wrong."""

    code = "invalid_grant"
    members: ClassVar[Mapping[str, str]] = {"error": "invalid_grant"}


class InvalidTokenRequestError(BadRequestError):
    """The token request lacks a parameter that its grant type needs."""

    code = "invalid_request"
    members: ClassVar[Mapping[str, str]] = {"error": "invalid_request"}


class TokenInvalidError(BadRequestError):
    """The link is not valid: it was used, it has expired, or the address has changed."""

    code = "token_invalid"


class UnsupportedGrantTypeError(BadRequestError):
    """The grant type is not supported."""

    code = "unsupported_grant_type"
    members: ClassVar[Mapping[str, str]] = {"error": "unsupported_grant_type"}


class EmailNotVerifiedError(ForbiddenError):
    """Verify your e-mail address first: follow the link in the mail, or request another one."""

    code = "email_not_verified"


class PasswordIncorrectError(ForbiddenError):
    """The current password is wrong."""

    code = "password_incorrect"


class PasswordTooCommonError(ValidationFailedError):
    """The password is too easy to guess: choose one without your name or e-mail address."""

    code = "password_too_common"


class EmailTakenError(ConflictError):
    """An account with this e-mail address already exists."""

    code = "email_taken"


class IdempotencyInProgressError(ConflictError):
    """A request with this idempotency key is in progress; try again shortly."""

    code = "idempotency_in_progress"


class JobNotFailedError(ConflictError):
    """Only a job that has used all its attempts can be requeued."""

    code = "job_not_failed"


class LastAdminError(ConflictError):
    """The last active administrator cannot be removed, disabled or demoted."""

    code = "last_admin"


class IdempotencyKeyReusedError(ValidationFailedError):
    """The idempotency key was used with another request body."""

    code = "idempotency_key_reused"
