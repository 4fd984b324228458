"""The OpenAPI document: what FastAPI derives, with the refusals it cannot know."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema

from app.api.policy import POLICY, Access
from app.core.exceptions import (
    BadRequestError,
    ContentTooLargeError,
    DatabaseUnavailableError,
    DeadlineExceededError,
    DomainError,
    ForbiddenError,
    HeadersTooLargeError,
    InvalidHostError,
    OverloadedError,
    RequestTimeoutError,
    TooManyRequestsError,
    UnauthenticatedError,
    ValidationFailedError,
)
from app.dependencies.query_string import QueryString
from app.schemas.problem import Problem

Responses = dict[int | str, dict[str, Any]]
REFERENCE = "#/components/schemas/{model}"
SCHEMA_NAME = re.compile(r'"#/components/schemas/([^"]+)"')
BY_FORMAT: dict[str, object] = {
    "uuid": "01981f3c-6f2a-7c31-9d0b-3f5c8a1e2b4d",
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
    """Document the refusals of an operation; several errors of one status share an entry."""
    responses: Responses = {}
    for error in errors:
        line = f"`{error.code}`: {error.title()}"
        known = responses.setdefault(error.status, {"description": "", "content": PROBLEM_CONTENT})
        known["description"] = "\n\n".join(filter(None, [known["description"], line]))
    return responses


def _shared_refusals(operation: dict[str, Any]) -> Iterator[type[DomainError]]:
    """Yield the errors that any operation can return, and those of operations with a caller."""
    access = POLICY[operation["operationId"]]
    yield from EVERYWHERE
    if access is not Access.ANYONE:
        yield UnauthenticatedError
    if access is Access.ADMIN:
        yield ForbiddenError


def query_strings(app: FastAPI) -> dict[str, QueryString[Any]]:
    """Name what reads the query string of each operation that has one."""
    return {
        route.name or "": dependency.call
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for dependency in route.original_route.dependant.dependencies
        if isinstance(dependency.call, QueryString)
    }


def complete(document: dict[str, Any], queries: Mapping[str, QueryString[Any]]) -> dict[str, Any]:
    """Add every parameter and refusal to every operation, the problem document to the schemas, an example to each."""
    for operation in (operation for item in document["paths"].values() for operation in item.values()):
        if operation["operationId"] in queries:
            operation.setdefault("parameters", []).extend(queries[operation["operationId"]].parameters())
        operation["responses"].pop("422", None)
        operation.setdefault("security", [])
        for status, response in problems(*_shared_refusals(operation)).items():
            operation["responses"].setdefault(str(status), response)
    _, definitions = models_json_schema([(Problem, "serialization")], ref_template=REFERENCE)
    schemas = document["components"]["schemas"]
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas.update(definitions["$defs"])
    for schema in schemas.values():
        schema.setdefault("examples", [example_of(schema, schemas)])
    return document


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> object:
    """Compose an example of a schema from those of its parts."""
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
    """Cut a document down to one version and the schemas that it uses."""
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
    return {**document, "paths": paths, "components": components}


def install_openapi(app: FastAPI) -> None:
    """Serve the completed document."""
    derive = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(derive(), query_strings(app))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
