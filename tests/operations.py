"""Every operation of the service, read from its own description."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from app.core.config import Settings
from app.main import create_application

NOBODY = UUID(int=0)
NO_NUMBER = 1


@dataclass(frozen=True)
class Operation:
    """A method on a path, and what is documented of it."""

    method: str
    template: str
    operation_id: str
    statuses: frozenset[int]
    parameters: tuple[str, ...] = ()
    is_secured: bool = False
    body_type: str | None = None
    properties: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def path(self, value: object = None) -> str:
        """The path with its parameter filled in: by this, or by an id that nothing has."""
        head, brace, tail = self.template.partition("{")
        name, _, tail = tail.partition("}")
        if value is None:
            value = NO_NUMBER if name == "job_id" else NOBODY
        return f"{head}{value}{tail}" if brace else head


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of all versions."""
    return create_application(Settings(_env_file=None)).openapi()


def _operation(path: str, method: str, described: dict[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {})
    body_type = next(iter(content), None)
    reference = content[body_type]["schema"]["$ref"].rpartition("/")[2] if body_type else None
    return Operation(
        method=method.upper(),
        template=path,
        operation_id=described["operationId"],
        statuses=frozenset(int(status) for status in described["responses"]),
        parameters=tuple(p["name"] for p in described.get("parameters", ()) if p["in"] == "query"),
        is_secured=bool(described.get("security")),
        body_type=body_type,
        properties=document()["components"]["schemas"][reference]["properties"] if reference else {},
    )


def operations() -> list[Operation]:
    """All of them, in the order of the document."""
    return [
        _operation(path, method, described)
        for path, item in document()["paths"].items()
        for method, described in item.items()
    ]
