"""Delete the example resource in a copy: its files, its line, its migration. Lint, types and tests pass without it."""

import re

from devtools.copies import Copy, copy_of_project

FILES = (
    "app/api/v1/items.py",
    "app/models/item.py",
    "app/schemas/item.py",
    "app/services/item_service.py",
    "migrations/versions/0006_items.py",
    "tests/api/v1/test_items.py",
    "tests/services/test_item_service.py",
)


def delete_example(copy: Copy) -> None:
    """Delete the files of items, and what includes them."""
    for name in FILES:
        (copy.folder / name).unlink()
    router = copy.folder / "app" / "api" / "v1" / "router.py"
    router.write_text(re.sub(r"\bitems, |, items\b", "", router.read_text()))
    copy.run("make", "--no-print-directory", "openapi", "fmt")


def main() -> None:
    """Delete it, and check the rest."""
    with copy_of_project() as copy:
        delete_example(copy)
        copy.lint()
        copy.run("make", "--no-print-directory", "test")


if __name__ == "__main__":
    main()
