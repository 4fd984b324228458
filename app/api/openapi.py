"""The OpenAPI document: FastAPI's, completed with error responses, tags and examples."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema

from app.api.access import Access, read_operations
from app.core.exceptions import (
    BadRequestError,
    ContentTooLargeError,
    DatabaseUnavailableError,
    DeadlineExceededError,
    DomainError,
    ForbiddenError,
    HeadersTooLargeError,
    InvalidHostError,
    NotFoundError,
    OverloadedError,
    PreconditionFailedError,
    PreconditionRequiredError,
    RequestTimeoutError,
    TooManyRequestsError,
    UnauthenticatedError,
    ValidationFailedError,
)
from app.core.refusals import EmailNotVerifiedError, IdempotencyInProgressError, IdempotencyKeyReusedError
from app.dependencies import current_user
from app.schemas.problem import Problem

Responses = dict[int | str, dict[str, Any]]
REFERENCE = "#/components/schemas/{model}"
SCHEMA_NAME = re.compile(r'"#/components/schemas/([^"]+)"')
BY_FORMAT: dict[str, object] = {
    "uuid": "01981f3c-6f2a-7c31-9d0b-3f5c8a1e2b4d",
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "ada@example.com",
    "password": "correct horse battery staple",
}
BY_TYPE: dict[str, object] = {"string": "text", "integer": 1, "boolean": True}
PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
EVERYWHERE = (
    BadRequestError,
    InvalidHostError,
    RequestTimeoutError,
    ContentTooLargeError,
    HeadersTooLargeError,
    ValidationFailedError,
    TooManyRequestsError,
    OverloadedError,
    DatabaseUnavailableError,
    DeadlineExceededError,
)


def problems(*errors: type[DomainError]) -> Responses:
    """Return the OpenAPI responses of these errors; several errors of one status share an entry."""
    responses: Responses = {}
    for error in errors:
        line = f"`{error.code}`: {error.title()}"
        known = responses.setdefault(error.status, {"description": "", "content": PROBLEM_CONTENT})
        known["description"] = "\n\n".join(filter(None, [known["description"], line]))
    return responses


NOT_FOUND = problems(NotFoundError)
NOT_MODIFIED: Responses = {304: {"description": "Not modified"}}
CHANGED_MEANWHILE = problems(NotFoundError, PreconditionFailedError, PreconditionRequiredError)
REPEATED = problems(IdempotencyInProgressError, IdempotencyKeyReusedError)


def _shared_refusals(access: Access) -> Iterator[type[DomainError]]:
    """Yield the errors that any operation can return, and those of operations with a caller."""
    yield from EVERYWHERE
    if access is not Access.PUBLIC:
        yield UnauthenticatedError
    if access is Access.VERIFIED_USER:
        yield EmailNotVerifiedError
    if access is Access.ADMINISTRATOR:
        yield ForbiddenError


def _tags(app: FastAPI) -> list[dict[str, str]]:
    """Describe each tag by the docstring of the module whose router names it first."""
    tags: dict[str, str] = {}
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            module = sys.modules[route.original_route.endpoint.__module__]
            for tag in route.tags:
                tags.setdefault(str(tag), (module.__doc__ or "").partition("\n")[0])
    return [{"name": name, "description": description} for name, description in tags.items()]


def complete(app: FastAPI, document: dict[str, Any]) -> dict[str, Any]:
    """Add the tags, the errors of every operation, the problem document, and an example of each schema."""
    document["tags"] = _tags(app)
    levels = {operation.name: operation.access for operation in read_operations(app.router)}
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        name = operation["operationId"]
        operation["responses"].pop("422", None)
        security = operation.setdefault("security", [])
        if levels[name] is Access.OPTIONAL_USER:
            security += [{}, {current_user.scheme_name: []}]
        _add_responses(operation["responses"], problems(*_shared_refusals(levels[name])))
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template=REFERENCE)
    schemas = document["components"]["schemas"]
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas.update(definitions["$defs"])
    for schema in schemas.values():
        schema.setdefault("examples", [example_of(schema, schemas)])
    return document


def _add_responses(responses: dict[str, Any], shared: Responses) -> None:
    """Add the shared errors; one with a status that the operation documents joins its description."""
    for status, response in shared.items():
        known = responses.setdefault(str(status), response)
        lines = response["description"].split("\n\n")
        added = [line for line in lines if line not in known["description"] and known.get("content") == PROBLEM_CONTENT]
        if added:
            responses[str(status)] = {**known, "description": "\n\n".join([known["description"], *added])}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """Return an example of a schema, composed of the examples of its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for key in ("examples", "enum", "anyOf", "items"):
        if key in schema:
            first = schema[key] if key == "items" else schema[key][0]
            example = first if key in ("examples", "enum") else example_of(first, schemas)
            return [example] if key == "items" else example
    if "properties" in schema:
        return {name: example_of(part, schemas) for name, part in schema["properties"].items()}
    if "const" in schema or "default" in schema:
        return schema.get("const", schema.get("default"))
    fallback = schema.get("minimum", BY_TYPE.get(schema.get("type", ""), {}))
    return BY_FORMAT.get(schema.get("format", ""), fallback)


def only_version(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the document of one version, with the schemas and tags that it uses."""
    prefix = f"/api/{version}/"
    paths = {path: item for path, item in document["paths"].items() if path.startswith(prefix)}
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    waiting = SCHEMA_NAME.findall(json.dumps(paths))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += SCHEMA_NAME.findall(json.dumps(schemas[name]))
    components = {**document["components"], "schemas": {name: schemas[name] for name in sorted(used)}}
    named = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    tags = [tag for tag in document["tags"] if tag["name"] in named]
    return {**document, "paths": paths, "components": components, "tags": tags}


def install_openapi(app: FastAPI) -> None:
    """Complete the document that the application generates."""
    derive = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(app, derive())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
