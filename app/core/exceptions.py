"""Domain errors: everything that the service can refuse, as one tree of exceptions.

Each class has a stable `code`, an HTTP status, and a docstring whose first line is the `title` of the problem document.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Self


class ConfigurationError(Exception):
    """The settings do not allow the process to start."""


class DomainError(Exception):
    """The base class of all domain errors. It is not raised itself."""

    code: ClassVar[str]
    status: ClassVar[int]
    headers: Mapping[str, str] = MappingProxyType({})
    """Headers of the response; of the class, or set on one instance."""
    reason: str | None = None
    """The cause, for operators: in the log and on the command line, never in a response."""
    members: ClassVar[Mapping[str, str]] = {}
    """More members of the problem document, such as the `error` of RFC 6749."""

    def __init__(self, detail: str | None = None) -> None:
        """Raise with a detail for the client, which must not contain a secret; by default the title."""
        super().__init__(detail or self.title())
        self.detail = detail or self.title()

    @classmethod
    def title(cls) -> str:
        """Return the sentence that is the same for every occurrence."""
        return (cls.__doc__ or cls.code).splitlines()[0]


class InternalError(DomainError):
    """The service has failed; report the request id."""

    code = "internal_error"
    status = 500


class BadRequestError(DomainError):
    """The request is malformed."""

    code = "bad_request"
    status = 400


class InvalidHostError(BadRequestError):
    """The Host header names a host that this service does not serve."""

    code = "invalid_host"


class UnauthenticatedError(DomainError):
    """A valid access token is required."""

    code = "unauthenticated"
    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class ForbiddenError(DomainError):
    """Your account is not allowed to do this."""

    code = "forbidden"
    status = 403


class NotFoundError(DomainError):
    """Not found."""

    code = "not_found"
    status = 404


class MethodNotAllowedError(DomainError):
    """The path does not support this method."""

    code = "method_not_allowed"
    status = 405


class RequestTimeoutError(DomainError):
    """The request body took too long to arrive."""

    code = "request_timeout"
    status = 408
    headers = MappingProxyType({"Connection": "close"})


class ConflictError(DomainError):
    """The request conflicts with the current state."""

    code = "conflict"
    status = 409


class ContentTooLargeError(DomainError):
    """The request body is too large."""

    code = "content_too_large"
    status = 413


class ValidationFailedError(DomainError):
    """The input is not valid."""

    code = "validation_failed"
    status = 422


class HeadersTooLargeError(DomainError):
    """The request headers are too large."""

    code = "headers_too_large"
    status = 431


class InvalidCursorError(ValidationFailedError):
    """The cursor belongs to another list, order or filter; request the first page."""

    code = "invalid_cursor"


class PreconditionFailedError(DomainError):
    """The resource has changed; read it again and repeat the change."""

    code = "precondition_failed"
    status = 412


class PreconditionRequiredError(DomainError):
    """Send If-Match with the entity tag of the version to change."""

    code = "precondition_required"
    status = 428


class TooManyRequestsError(DomainError):
    """Too many requests; wait for the seconds in Retry-After."""

    code = "too_many_requests"
    status = 429

    @classmethod
    def after(cls, seconds: int, headers: Mapping[str, str]) -> Self:
        """Return an error with Retry-After (RFC 9110, section 10.2.3) and the headers of the limit."""
        error = cls()
        error.headers = {"Retry-After": str(seconds), **headers}
        return error


class UnavailableError(DomainError):
    """The service is unavailable; try again shortly."""

    code = "unavailable"
    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


class OverloadedError(UnavailableError):
    """The service is overloaded; try again shortly."""

    code = "overloaded"


class DatabaseUnavailableError(UnavailableError):
    """The database is unavailable; try again shortly."""

    code = "database_unavailable"


class UnitOfWorkLostError(DatabaseUnavailableError):
    """The database is unavailable; try again shortly.

    The transaction was certainly rolled back, so the whole request may be repeated.
    """


class DeadlineExceededError(DomainError):
    """The response took too long."""

    code = "deadline_exceeded"
    status = 504


def domain_errors(root: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Yield all classes below the root, parents first."""
    for child in root.__subclasses__():
        yield child
        yield from domain_errors(child)
