"""Derive the files of a resource from those of items: rename them, and exchange their two fields for the given ones."""

from collections.abc import Callable

from dayone.resources.application import write_listing, write_model, write_router, write_schemas, write_service
from dayone.resources.migration import write_migration
from dayone.resources.names import MIGRATION, PATTERN, check_collisions
from dayone.resources.resource import Resource, wrap_docstrings
from dayone.resources.tests import write_api_tests, write_service_tests
from dayone.trees import Tree

WRITERS: dict[str, Callable[[Resource, str], str]] = {
    "app/api/v1/items.py": write_router,
    "app/models/item.py": write_model,
    "app/pages/admin/resources/items.py": write_listing,
    "app/schemas/item.py": write_schemas,
    "app/services/item_service.py": write_service,
    "tests/api/v1/test_items.py": write_api_tests,
    "tests/services/test_item_service.py": write_service_tests,
}


def derive(resource: Resource, template: Tree, revision: str) -> Tree:
    """Return the new files, not yet formatted; raise ToolError if a name is invalid."""
    names = resource.names
    # Earlier versions of the template had no pages.
    sources = {path: template.text(path) for path in (*PATTERN, MIGRATION) if path in template}
    check_collisions(names, sources)
    resource.check_identifiers()
    result = Tree()
    for path, target in names.files.items():
        if path not in sources:
            continue
        result.write(target, wrap_docstrings(WRITERS[path](resource, names.rename(sources[path]))))
    migration = write_migration(resource, names.rename(sources[MIGRATION]), revision)
    result.write(f"migrations/versions/{revision}_{names.plural}.py", migration)
    return result
