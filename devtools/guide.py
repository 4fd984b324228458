"""Follow docs/add-a-resource.md and docs/recipes/ literally in a copy of the project; everything passes there.

The guide changes nothing but what it names. The recipes are followed after it, in the same copy, by name.
"""

import re
import sys
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from devtools.copies import Copy, copy_of_project

GUIDE = PROJECT_ROOT / "docs" / "add-a-resource.md"
RECIPES = PROJECT_ROOT / "docs" / "recipes"
BLOCK = re.compile(r'^```(sh|diff|python title="([^"]+)")\n(.*?)^```$', re.MULTILINE | re.DOTALL)
TESTS = (
    "tests/api",
    "tests/db/test_migrations.py",
    "tests/test_access.py",
    "tests/test_bad_input.py",
    "tests/test_commit_order.py",
    "tests/test_documentation.py",
    "tests/test_failing_commits.py",
)
CHANGED_BY_THE_GUIDE = {
    "app/api/v1/books.py",
    "app/api/v1/router.py",
    "app/models/book.py",
    "app/schemas/book.py",
    "app/services/book_service.py",
    "docs/access.md",
    "docs/openapi/v1.json",
    "migrations/versions/0008_books.py",
    "tests/api/v1/test_books.py",
}


def follow(copy: Copy, page: Path) -> None:
    """Write every file of a page, apply every patch, and run every command."""
    for kind, path, text in BLOCK.findall(page.read_text()):
        if kind == "sh":
            for command in text.splitlines():
                copy.run("bash", "-c", command, needs_database="make openapi" not in command)
        elif kind == "diff":
            (copy.folder / "patch").write_text(text)
            copy.run("git", "apply", "patch")
            (copy.folder / "patch").unlink()
        else:
            (copy.folder / path).write_text(text)


def main() -> None:
    """Follow every page, and check what they made."""
    with copy_of_project() as copy:
        copy.run("python", "-m", "app", "migrate", needs_database=True)  # as `make db` does
        follow(copy, GUIDE)
        changes = copy.changes()
        if changes != CHANGED_BY_THE_GUIDE:
            sys.exit(f"The guide changed other files: {sorted(changes ^ CHANGED_BY_THE_GUIDE)}")
        for recipe in sorted(RECIPES.glob("*.md")):
            follow(copy, recipe)
        copy.run("make", "--no-print-directory", "openapi", "fmt")
        copy.lint()
        copy.run("pytest", "-q", "-n", "2", "-m", "not soak", "--no-cov", *TESTS)


if __name__ == "__main__":
    main()
