"""Render exceptions as problem documents (RFC 9457)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.api.conditional import NotModified
from app.core.exceptions import (
    ContentTooLargeError,
    DomainError,
    InternalError,
    MethodNotAllowedError,
    NotFoundError,
    RequestTimeoutError,
    UnitOfWorkLostError,
    ValidationFailedError,
)
from app.schemas.problem import FieldError, Problem

log = structlog.get_logger(__name__)

PROBLEM_MEDIA_TYPE = "application/problem+json"
MAXIMUM_ERRORS = 100
MAXIMUM_INSTANCE_LENGTH = 2048
FRAMEWORK_ERRORS: Mapping[int, type[DomainError]] = {
    # FastAPI's 400 means a body that cannot be parsed: for a client that is invalid input, too.
    400: ValidationFailedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    408: RequestTimeoutError,
    413: ContentTooLargeError,
    422: ValidationFailedError,
}


def render_problem(
    scope: Scope,
    error: DomainError,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem document of a domain error, or its page where a page was asked for."""
    state = scope.setdefault("state", {})
    state["problem"] = error.code  # for the access log and the metrics
    all_headers = {**error.headers, **(headers or {})}
    if "render_error" in state:
        page: Response = state["render_error"](scope, error, all_headers)
        return page
    document = describe_problem(scope, error, errors).model_dump_json(exclude_none=True)
    return Response(document, error.status, headers=all_headers, media_type=PROBLEM_MEDIA_TYPE)


def describe_problem(scope: Scope, error: DomainError, errors: list[FieldError] | None) -> Problem:
    """Return the members of a problem document."""
    return Problem.model_construct(
        type="about:blank",
        title=error.title(),
        status=error.status,
        detail=error.detail,
        instance=printable(scope["path"])[:MAXIMUM_INSTANCE_LENGTH],
        code=error.code,
        request_id=scope["state"].get("request_id", ""),
        errors=errors,
        error=error.members.get("error"),
    )


def printable(text: str) -> str:
    """Replace characters that JSON cannot contain, such as lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def render_exception(scope: Scope, error: Exception) -> Response:
    """Return the problem document of any exception. An unexpected one is logged, and the document reveals nothing."""
    known = error if isinstance(error, DomainError) else InternalError()
    if isinstance(known, InternalError):
        log.error("unhandled exception", exc_info=error)
    elif known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", code=known.code, cause=known.reason or repr(error.__cause__))
    return render_problem(scope, known)


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """Return the location and the message of each invalid field, never its value: it may be a password."""
    return [
        FieldError.model_construct(
            location=[part if isinstance(part, int) else printable(part)[:100] for part in error["loc"]][:100],
            message=error["msg"],
            code=error["type"],
        )
        for error in list(errors)[:MAXIMUM_ERRORS]
    ]


def allowed_methods(scope: Scope) -> str:
    """Return the methods of all routes with this path; Starlette names only those of the first route."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    methods = {
        method
        for route in iter_route_contexts(scope["app"].routes)
        if route.path_regex.match(path)
        for method in route.methods or ()
    }
    methods = methods or {"GET"}  # It is a folder of files, which Starlette keeps apart.
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def handle_domain_error(request: Request, error: Exception) -> Response:
    """Return the problem document of a domain error, with its headers."""
    return render_exception(request.scope, error)


async def handle_validation_error(request: Request, error: Exception) -> Response:
    """Return 422 with the invalid fields."""
    assert isinstance(error, RequestValidationError)
    return render_problem(request.scope, ValidationFailedError(), field_errors(error.errors()))


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Return the problem document of an error that FastAPI or Starlette raised."""
    assert isinstance(error, HTTPException)
    kind = FRAMEWORK_ERRORS.get(error.status_code, InternalError)
    refusal = kind()
    headers = dict(error.headers or {})
    if kind is NotFoundError:
        refusal = NotFoundError("There is no such path.")
    if kind is MethodNotAllowedError:
        headers["Allow"] = allowed_methods(request.scope)
    errors = None
    if isinstance(refusal, ValidationFailedError):
        message = "The body cannot be parsed"
        errors = [FieldError(location=["body"], message=message, code="unparsable")]
    return render_problem(request.scope, refusal, errors, headers)


async def raise_again(_: Request, error: Exception) -> Response:
    """Raise the error again, for RetryMiddleware."""
    raise error


async def handle_not_modified(_: Request, error: Exception) -> Response:
    """Return 304."""
    assert isinstance(error, NotModified)
    return Response(status_code=304, headers={"ETag": error.tag})


def install_error_handlers(app: FastAPI) -> None:
    """Install the handlers of all errors."""
    app.add_exception_handler(DomainError, handle_domain_error)
    app.add_exception_handler(UnitOfWorkLostError, raise_again)
    app.add_exception_handler(RequestValidationError, handle_validation_error)
    app.add_exception_handler(HTTPException, handle_http_exception)
    app.add_exception_handler(NotModified, handle_not_modified)
