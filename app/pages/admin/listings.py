"""Lists of resources. A resource declares its page as LISTING, in a module of this package with its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import app.pages.admin.resources
from app.db.pagination import SortOrder


@dataclass(frozen=True)
class Listing:
    """The page of a resource."""

    model: type[Any]
    columns: tuple[str, ...]
    """The attributes to show."""
    order: SortOrder
    """Its first column sorts the list."""


def title_of(name: str) -> str:
    """Return the heading of a page, from the name of its module."""
    return name.replace("_", " ").capitalize()


@cache
def listings() -> Mapping[str, Listing]:
    """Find the declarations of all resources, by the names of their modules."""
    package = app.pages.admin.resources
    modules = [module.name for module in iter_modules(package.__path__)]
    return {name: import_module(f"{package.__name__}.{name}").LISTING for name in sorted(modules)}
