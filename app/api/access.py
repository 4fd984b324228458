"""Access levels: who may call each operation, read from the routes of the application."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRouter, RouteContext, iter_route_contexts
from starlette.routing import Mount

from app.dependencies import administrator, current_user, optional_user, public, verified_user


class Access(StrEnum):
    """Who may call an operation."""

    PUBLIC = "anyone"
    OPTIONAL_USER = "anyone, with or without a login"
    USER = "users"
    VERIFIED_USER = "users with a verified address"
    ADMINISTRATOR = "administrators"
    NETWORK = "addresses of METRICS_ALLOW_IPS"


LEVELS: dict[Callable[..., Any] | None, Access] = {
    public: Access.PUBLIC,
    optional_user: Access.OPTIONAL_USER,
    current_user: Access.USER,
    verified_user: Access.VERIFIED_USER,
    administrator: Access.ADMINISTRATOR,
}
"""The dependency that enforces each level; a module that defines another level adds it."""


class AccessError(Exception):
    """The application has an operation without exactly one access level."""


class PublicMount(Mount):
    """An application below a path that anyone may use, such as static files."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path, and who may call it."""

    method: str
    path: str
    name: str
    access: Access


def read_operations(router: APIRouter) -> list[Operation]:
    """Return every operation with its access level, by path; raise AccessError if one does not have exactly one."""
    # FastAPI keeps front ends apart, and has no public list of them.
    front_ends: Any = router._iter_low_priority_routes()  # noqa: SLF001
    routes = [*iter_route_contexts(router.routes), *map(RouteContext, front_ends)]
    found = [
        Operation(method, route.path or "", _name_of(route), level_of(route))
        for route in routes
        for method in sorted((route.methods or {"ANY"}) - {"HEAD"})
    ]
    return sorted(found, key=lambda operation: (operation.path, operation.method))


def _name_of(route: RouteContext) -> str:
    """Return the id that the OpenAPI document has for an operation, or the name of another route."""
    name: str = getattr(route, "operation_id", None) or getattr(route, "unique_id", None) or route.name or ""
    return name


def level_of(route: RouteContext) -> Access:
    """Return the access level of a route, or raise AccessError."""
    if isinstance(route.original_route, PublicMount):
        return Access.PUBLIC
    dependant: Dependant | None = getattr(route, "dependant", None)
    levels = set(_levels(dependant)) if dependant else set()
    if levels & {Access.VERIFIED_USER, Access.ADMINISTRATOR}:
        levels.discard(Access.USER)  # Both are built on it.
    if len(levels) != 1:
        mistake = f"names {' and '.join(sorted(level.name for level in levels))}" if levels else "has no access level"
        raise AccessError(
            f"{route.path} ({route.name}) {mistake}: ask for OptionalUser, CurrentUser, VerifiedUser or Administrator "
            "in its signature, or add dependencies=[Public]"
        )
    return levels.pop()


def _levels(dependant: Dependant) -> Iterator[Access]:
    for dependency in dependant.dependencies:
        level = LEVELS.get(dependency.call)
        if level is None:
            yield from _levels(dependency)
        else:
            yield level


def describe_access(operations: Iterable[Operation]) -> str:
    """Write the operations and their levels as the table of docs/access.md."""
    lines = ["| operation | path | who may call it |", "|---|---|---|"]
    lines += [f"| `{o.name}` | `{o.method} {o.path}` | {o.access.value} |" for o in operations]
    return "\n".join(lines) + "\n"
