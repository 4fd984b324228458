"""What the sweeps need to know about a resource; its test module declares it as `SUBJECT`."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import tests.api
import tests.notes
from tests.factories import Account
from tests.operations import Operation

Create = Callable[[Account], Awaitable[tuple[object, ...]]]


@dataclass(frozen=True)
class Subject:
    """A resource whose operations have certain parameters in their paths."""

    parameters: tuple[str, ...]
    """In the order of the path."""
    create: Create
    """Make an object of this account; return the values of the parameters."""
    bodies: Mapping[str, Any] = field(default_factory=dict)
    """A valid body for each operation that takes one, by the name of the operation: JSON, or the files of a form."""
    open_to_users: frozenset[str] = frozenset()
    """Operations that every user may call on what another user owns."""
    visible_to_administrators: bool = False
    """Whether administrators read what they do not own."""


def subjects() -> Iterator[Subject]:
    """Find the subjects of all test modules of resources."""
    for package in (tests.api, tests.notes):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.rpartition(".")[2].startswith("test_"):
                subject = getattr(import_module(module.name), "SUBJECT", None)
                if subject is not None:
                    yield subject


def subject_of(parameters: tuple[str, ...]) -> Subject:
    """Return the subject with these parameters, or raise an error that says how to declare it."""
    found = [subject for subject in subjects() if subject.parameters == parameters]
    assert found, f"no test module in tests/api declares SUBJECT = Subject({parameters}, ...): see tests/subjects.py"
    assert len(found) == 1, f"several resources have the path parameters {parameters}: give them different names"
    return found[0]


def request_options(operation: Operation) -> dict[str, Any]:
    """Return a valid body if the operation takes one; an empty one if no subject defines it."""
    bodies = {name: body for subject in subjects() for name, body in subject.bodies.items()}
    if operation.body_type is None:
        return {}
    kind = "files" if operation.body_type == "multipart/form-data" else "json"
    return {kind: bodies.get(operation.name, {})}
