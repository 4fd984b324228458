"""Every refusal the service can express, as one tree of domain errors.

Each class has a stable `code` for clients, the HTTP status it becomes at the edge, and a one-sentence
docstring that is the `title` a client reads. Nothing here knows about HTTP beyond that number.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Self


class ConfigurationError(Exception):
    """The settings do not allow the process to start."""


class DomainError(Exception):
    """The root: never raised itself."""

    code: ClassVar[str]
    status: ClassVar[int]
    headers: Mapping[str, str] = MappingProxyType({})
    """Of the answer: of every occurrence, or set on one."""
    reason: str | None = None
    """What happened, for the operator: in the log and on the command line, never in an answer."""
    members: ClassVar[Mapping[str, str]] = {}
    """Further members of the problem document, such as the `error` of RFC 6749."""

    def __init__(self, detail: str | None = None) -> None:
        """Keep a sentence for the client about this occurrence; it must not quote a secret."""
        super().__init__(detail or self.title())
        self.detail = detail or self.title()

    @classmethod
    def title(cls) -> str:
        """Say in one sentence what every occurrence of this error has in common."""
        return (cls.__doc__ or cls.code).splitlines()[0]


class InternalError(DomainError):
    """Something went wrong on our side."""

    code = "internal_error"
    status = 500


class BadRequestError(DomainError):
    """The request cannot be understood."""

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
    """This account may not do that."""

    code = "forbidden"
    status = 403


class NotFoundError(DomainError):
    """Not found."""

    code = "not_found"
    status = 404


class MethodNotAllowedError(DomainError):
    """The resource does not support this method."""

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
    """The request body is larger than the service accepts."""

    code = "content_too_large"
    status = 413


class ValidationFailedError(DomainError):
    """Some of the input is not valid."""

    code = "validation_failed"
    status = 422


class HeadersTooLargeError(DomainError):
    """The headers are larger than the service accepts."""

    code = "headers_too_large"
    status = 431


class InvalidCursorError(ValidationFailedError):
    """The cursor was not issued for this list, sort order and filter."""

    code = "invalid_cursor"


class PreconditionFailedError(DomainError):
    """The resource has changed since the version that the request means."""

    code = "precondition_failed"
    status = 412


class PreconditionRequiredError(DomainError):
    """The request must say which version it means: send If-Match."""

    code = "precondition_required"
    status = 428


class TooManyRequestsError(DomainError):
    """Too many requests; wait before the next."""

    code = "too_many_requests"
    status = 429

    @classmethod
    def after(cls, seconds: int, headers: Mapping[str, str]) -> Self:
        """Say when to try again (RFC 9110, section 10.2.3), beside the headers of the limit."""
        error = cls()
        error.headers = {"Retry-After": str(seconds), **headers}
        return error


class UnavailableError(DomainError):
    """The service cannot answer right now; try again shortly."""

    code = "unavailable"
    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


class OverloadedError(UnavailableError):
    """The service has more work than it can take; try again shortly."""

    code = "overloaded"


class DatabaseUnavailableError(UnavailableError):
    """The database cannot be reached right now; try again shortly."""

    code = "database_unavailable"


class UnitOfWorkLostError(DatabaseUnavailableError):
    """The database cannot be reached right now; try again shortly.

    It certainly kept nothing of the unit of work, so that whoever ran it may run all of it again.
    """


class DeadlineExceededError(DomainError):
    """The answer took longer than the service allows."""

    code = "deadline_exceeded"
    status = 504


def domain_errors(root: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Walk the tree below the root, parents first."""
    for child in root.__subclasses__():
        yield child
        yield from domain_errors(child)
