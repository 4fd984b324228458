"""Every operation of the service with notes, read from the OpenAPI document."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from app.api.access import Access, read_operations
from app.core.config import Settings
from tests.notes.application import create_notes_application

NO_ID = UUID(int=0)
MISSING: dict[str, object] = {"uuid": NO_ID, "integer": 1, "string": "missing"}
"""Values that nothing has, by the format or type of a parameter."""


def missing_value(schema: dict[str, Any]) -> object:
    """Return a well-formed path parameter of an object that does not exist; for an enum, an existing value."""
    if "enum" in schema or "$ref" in schema:
        values = schema.get("enum") or document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["enum"]
        return values[0]
    return MISSING[schema.get("format", schema["type"])]


@dataclass(frozen=True)
class Operation:
    """A method, a path, and their documentation."""

    method: str
    template: str
    name: str
    access: Access
    statuses: frozenset[int]
    path_parameters: dict[str, dict[str, Any]] = field(hash=False)
    query_parameters: tuple[str, ...]
    body_type: str | None
    properties: dict[str, Any] = field(hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, *values: object) -> str:
        """Return the path with these values, or with values that do not exist."""
        given = iter(values)

        def fill(match: re.Match[str]) -> str:
            return str(next(given, missing_value(self.path_parameters[match[1]])))

        return re.sub(r"{(\w+)}", fill, self.template)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Return the names of the path parameters, in order."""
        return tuple(re.findall(r"{(\w+)}", self.template))


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of all versions, with notes."""
    return create_notes_application(Settings(_env_file=None)).openapi()


@cache
def levels() -> dict[str, Access]:
    """The access level of each operation, by its name."""
    router = create_notes_application(Settings(_env_file=None)).router
    return {operation.name: operation.access for operation in read_operations(router)}


def _operation(path: str, method: str, described: dict[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {})
    body_type = next(iter(content), None)
    reference = content[body_type]["schema"].get("$ref", "").rpartition("/")[2] if body_type else None
    parameters = described.get("parameters", ())
    return Operation(
        method=method.upper(),
        template=path,
        name=described["operationId"],
        access=levels()[described["operationId"]],
        statuses=frozenset(int(status) for status in described["responses"]),
        path_parameters={p["name"]: p["schema"] for p in parameters if p["in"] == "path"},
        query_parameters=tuple(p["name"] for p in parameters if p["in"] == "query"),
        body_type=body_type,
        properties=document()["components"]["schemas"][reference]["properties"] if reference else {},
    )


@cache
def operations() -> list[Operation]:
    """Return all operations, in the order of the document."""
    return [
        _operation(path, method, described)
        for path, item in document()["paths"].items()
        for method, described in item.items()
    ]
