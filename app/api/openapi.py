"""The OpenAPI document: what FastAPI derives, with the refusals it cannot know."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.api.policy import POLICY, Access
from app.core.exceptions import (
    ContentTooLargeError,
    DatabaseUnavailableError,
    DeadlineExceededError,
    DomainError,
    ForbiddenError,
    InvalidHostError,
    OverloadedError,
    UnauthenticatedError,
    ValidationFailedError,
)
from app.schemas.problem import Problem

Responses = dict[int | str, dict[str, Any]]
REFERENCE = "#/components/schemas/{model}"
PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
EVERYWHERE = (
    InvalidHostError,
    ContentTooLargeError,
    OverloadedError,
    DatabaseUnavailableError,
    DeadlineExceededError,
)


def problems(*errors: type[DomainError]) -> Responses:
    """Document the refusals of an operation; several errors of one status share an entry."""
    responses: Responses = {}
    for error in errors:
        line = f"`{error.code}`: {error.title()}"
        known = responses.setdefault(error.status, {"description": "", "content": PROBLEM_CONTENT})
        known["description"] = "\n\n".join(filter(None, [known["description"], line]))
    return responses


def _shared_refusals(operation: dict[str, Any]) -> Iterator[type[DomainError]]:
    """Name what can befall every operation, and every one with a caller or with input."""
    access = POLICY[operation["operationId"]]
    yield from EVERYWHERE
    if access is not Access.ANYONE:
        yield UnauthenticatedError
    if access is Access.ADMIN:
        yield ForbiddenError
    if "requestBody" in operation or "parameters" in operation:
        yield ValidationFailedError


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add every refusal to every operation, and the problem document to the schemas, once."""
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        operation["responses"].pop("422", None)
        for status, response in problems(*_shared_refusals(operation)).items():
            operation["responses"].setdefault(str(status), response)
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template=REFERENCE)
    schemas = document["components"]["schemas"]
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas.update(definitions["$defs"])
    return document


def install_openapi(app: FastAPI) -> None:
    """Serve the completed document."""
    derive = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(derive())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
