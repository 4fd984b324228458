"""`dayone add resource` and `dayone remove resource`."""

import difflib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dayone.errors import ToolError
from dayone.formatting import format_code
from dayone.migrations import FOLDER, find_migration, head, next_revision, set_down_revision, undo_migration
from dayone.project import Checkout
from dayone.resources.derive import derive
from dayone.resources.fields import parse_fields
from dayone.resources.names import check_resource
from dayone.resources.registration import ROUTER, register
from dayone.resources.resource import Resource
from dayone.source import Template
from dayone.trees import Tree, read_files

LISTINGS = "app/pages/admin/resources"
DOCUMENTS = ("docs/openapi", "docs/access.md")


def add_resource(
    checkout: Checkout, template: Template, name: str, fields: list[str], *, plural: str | None, dry_run: bool
) -> str:
    """Write a resource; return what to print. Files that exist are never overwritten."""
    resource = Resource(check_resource(name, plural), parse_fields(fields))
    before = checkout.repository.files()
    existing = find_migration(before, resource.names.plural)
    revision = next_revision(before) if existing is None else existing.rpartition("/")[2].partition("_")[0]
    files = derive(resource, template.tree, revision)
    leave_out_listing(files, before)
    migration = next(path for path in files if path.startswith(FOLDER))
    after = before.copy()
    after.update(files)
    if existing is None:
        set_down_revision(after, migration, head(before))
    else:
        after[migration] = before[existing]
    after.write(ROUTER, register(before.text(ROUTER), resource.names.plural))
    format_code(after, only={*files, ROUTER})
    if all(path in before for path in files) and all(before[path] == after[path] for path in (*files, ROUTER)):
        return f"The resource {name} exists already; nothing changes."
    if taken := [path for path in files if path in before]:
        raise ToolError(f"{', '.join(taken)} exist and are not overwritten. Choose another name")
    write_documents(checkout, after)
    return finish(checkout, before, after, dry_run=dry_run)


def leave_out_listing(files: Tree, project: Tree) -> None:
    """Leave out the page of the administration, if the project has none."""
    if not list(project.below(LISTINGS)):
        for path in list(files.below(LISTINGS)):
            del files[path]


def remove_resource(checkout: Checkout, name: str, *, plural: str | None, dry_run: bool) -> str:
    """Delete the files of a resource, and append a migration that drops its table."""
    names = check_resource(name, plural)
    before = checkout.repository.files()
    files = [path for path in names.files.values() if path in before]
    own = set(checkout.repository.tree_at(checkout.merged_revision()))
    if own & set(files):
        raise ToolError(f"{name!r} is part of the template. `dayone remove feature` removes what can be removed")
    if not files:
        raise ToolError(f"There is no resource {name!r}: {names.files['app/models/item.py']} does not exist")
    changed = checkout.repository.run("status", "--porcelain", "--", *files)
    if changed:
        raise ToolError(f"Commit these files first, so that nothing is lost:\n{changed}")
    after = before.copy()
    for path in files:
        del after[path]
    migration = find_migration(before, names.plural)
    if migration is not None:
        undone = undo_migration(after, migration, f"drop_{names.plural}", f"Drop {names.plural}.")
        format_code(after, only={undone})
    after.write(ROUTER, register(before.text(ROUTER), names.plural, is_removed=True))
    format_code(after, only={ROUTER})
    write_documents(checkout, after)
    return finish(checkout, before, after, dry_run=dry_run)


def write_documents(checkout: Checkout, tree: Tree) -> None:
    """Write docs/openapi and docs/access.md of a tree, with the programs that the project has installed."""
    if not (checkout.folder / ".venv/.dev").exists():
        install = ["make", "--no-print-directory", ".venv/.dev"]
        if subprocess.run(install, cwd=checkout.folder, stdout=sys.stderr, check=False).returncode:
            raise ToolError("The project cannot be installed, so its API documents cannot be written: make .venv/.dev")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree.save(folder)
        (folder / ".venv").symlink_to(checkout.folder / ".venv")
        # -o: the time of the requirements is that of the copy, which is no reason to install them again.
        command = ["make", "--no-print-directory", "-o", ".venv/.dev", "openapi"]
        environment = {
            key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "PYTHONPATH")
        }
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"The application does not start with this change:\n{done.stderr}")
        tree.update(read_files(folder, [path for document in DOCUMENTS for path in tree.below(document)]))


def finish(checkout: Checkout, before: Tree, after: Tree, *, dry_run: bool) -> str:
    """Show the difference, or move it into the project."""
    if dry_run:
        return "".join(difference(before, after))
    apply_changes(checkout.folder, before, after)
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys())
    edited = sorted(path for path in after.keys() & before.keys() if after[path] != before[path])
    lines = [f"  {sign} {path}" for sign, paths in (("+", added), ("-", removed), ("~", edited)) for path in paths]
    return "\n".join([*lines, "", "Next: git status, then make test. `make run` migrates the database."])


def difference(before: Tree, after: Tree) -> list[str]:
    """Return a unified diff of two trees."""
    lines: list[str] = []
    for path in sorted(before.keys() | after.keys()):
        old, new = (tree[path].text or "" if path in tree else "" for tree in (before, after))
        if old != new:
            lines += difflib.unified_diff(
                old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}"
            )
    return lines


def apply_changes(folder: Path, before: Tree, after: Tree) -> None:
    """Make the files of a folder those of the second tree; after an error or an interruption, those of the first."""
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    try:
        _replace(folder, after, changed)
    except BaseException:
        _replace(folder, before, changed)
        raise


def _replace(folder: Path, tree: Tree, paths: set[str]) -> None:
    for path in paths:
        if path not in tree:
            (folder / path).unlink(missing_ok=True)
    Tree({path: tree[path] for path in paths if path in tree}).save(folder)
