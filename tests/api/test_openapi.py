"""The OpenAPI documents."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.api.openapi import only_version
from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.main import create_application
from tests.operations import document

UNBOUNDED_BY_NATURE = {"uuid", "date", "date-time", "email", "password"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_each_document_is_the_reviewed_one(version: str) -> None:
    """A reviewer sees every change of the API; `make openapi` writes the files."""
    reviewed = json.loads((PROJECT_ROOT / "docs" / "openapi" / f"{version}.json").read_text())
    document = create_application(Settings(_env_file=None)).openapi()
    assert only_version(document, version) == reviewed


def operations() -> Iterator[dict[str, Any]]:
    """Return all operations, in the order of the document."""
    for item in document()["paths"].values():
        yield from item.values()


def test_operation_ids_are_the_names_of_functions() -> None:
    """They are unique and valid method names of a client."""
    names = [operation["operationId"] for operation in operations()]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_everything_is_described() -> None:
    """Every operation, tag and schema has a description."""
    assert all(operation["description"] and operation["tags"] for operation in operations())
    schemas = document()["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert [name for name, schema in schemas.items() if not schema.get("examples")] == []


def test_refusals_are_problem_documents() -> None:
    """All errors use one schema, which is declared once."""
    for operation in operations():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and operation["operationId"] not in ("read_readiness", "read_health"):
                reference = response["content"]["application/problem+json"]["schema"]["$ref"]
                assert reference == "#/components/schemas/Problem"


def unbounded(schema: Any, path: str) -> Iterator[str]:
    """Yield the strings, integers and arrays without a limit."""
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from unbounded(part, f"{path}/{number}")
    if not isinstance(schema, dict):
        return
    limits = {"string": ("maxLength", "enum", "const"), "integer": ("maximum",), "array": ("maxItems",)}
    wanted = limits.get(schema.get("type", ""), ()) if isinstance(schema.get("type"), str) else ()
    if wanted and not schema.keys() & set(wanted) and schema.get("format") not in UNBOUNDED_BY_NATURE:
        yield path
    for key, part in schema.items():
        if key not in ("examples", "example", "default"):
            yield from unbounded(part, f"{path}/{key}")


def test_every_string_integer_and_array_is_bounded() -> None:
    """This holds for parameters and for schemas."""
    parts = {
        "parameters": [o.get("parameters", []) for o in operations()],
        "schemas": document()["components"]["schemas"],
    }
    assert list(unbounded(parts, "")) == []
