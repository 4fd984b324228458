"""Remove operations from the reviewed OpenAPI document and from docs/access.md, as `make openapi` would."""

import json
import re
from typing import Any

from dayone.trees import Tree

DOCUMENT = "docs/openapi/v1.json"
ACCESS = "docs/access.md"
REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def remove_tags(tree: Tree, tags: list[str]) -> None:
    """Remove the operations with these tags, and the schemas that only they use."""
    if not tags or DOCUMENT not in tree:
        return
    document = json.loads(tree.text(DOCUMENT))
    names = {operation["operationId"] for operation in _remove_operations(document["paths"], set(tags))}
    document["tags"] = [tag for tag in document["tags"] if tag["name"] not in tags]
    _remove_unused_schemas(document)
    tree.write(DOCUMENT, json.dumps(document, indent=2) + "\n")
    rows = tree.text(ACCESS).splitlines(keepends=True)
    tree.write(ACCESS, "".join(row for row in rows if not any(f"| `{name}` |" in row for name in names)))


def _remove_operations(paths: dict[str, Any], tags: set[str]) -> list[dict[str, Any]]:
    removed = []
    for path, item in list(paths.items()):
        methods = [method for method, operation in item.items() if tags & set(operation["tags"])]
        removed += [item.pop(method) for method in methods]
        if not item:
            del paths[path]
    return removed


def _remove_unused_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    while True:
        others = {name: set(REFERENCE.findall(json.dumps(schema))) - {name} for name, schema in schemas.items()}
        used = set(REFERENCE.findall(json.dumps(document["paths"]))).union(*others.values())
        used |= set(REFERENCE.findall(json.dumps({**document["components"], "schemas": {}})))
        unused = schemas.keys() - used
        if not unused:
            return
        for name in unused:
            del schemas[name]
