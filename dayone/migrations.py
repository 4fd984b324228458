"""One linear history of migrations: remove, append and undo revisions."""

import re
from dataclasses import dataclass
from itertools import count

import libcst as cst

from dayone.errors import ToolError
from dayone.trees import Tree

FOLDER = "migrations/versions"
REVISION = re.compile(r"^revision(?:: str)? = [\"'](.+)[\"']$", re.MULTILINE)
DOWN_REVISION = re.compile(r"^(down_revision(?:: [^=]+)? = )(None|[\"'].+[\"'])$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """A file in `migrations/versions/`."""

    path: str
    revision: str
    down_revision: str | None


def read_migration(path: str, text: str) -> Migration | None:
    """Read the two identifiers of a file; None for one that is no migration."""
    revision, down = REVISION.search(text), DOWN_REVISION.search(text)
    if revision is None or down is None:
        return None
    return Migration(path, revision[1], None if down[2] == "None" else down[2].strip("\"'"))


def read_migrations(tree: Tree) -> list[Migration]:
    """Return all migrations, in no order."""
    read = [read_migration(path, tree.text(path)) for path in tree.below(FOLDER) if path.endswith(".py")]
    return [migration for migration in read if migration is not None]


def history(tree: Tree) -> list[Migration]:
    """Return all migrations from the first to the last; raise ToolError if they are not one line."""
    read = read_migrations(tree)
    found = {migration.down_revision: migration for migration in read}
    line: list[Migration] = []
    while (last := line[-1].revision if line else None) in found:
        line.append(found.pop(last))
    if found or len(line) != len(read):
        raise ToolError(f"The migrations are not one linear history after {last}. Fix that first: alembic heads")
    return line


def head(tree: Tree) -> str | None:
    """Return the last revision."""
    line = history(tree)
    return line[-1].revision if line else None


def next_revision(tree: Tree) -> str:
    """Return the next free number, for example 0007."""
    taken = {migration.revision for migration in history(tree)}
    numbers = [int(name) for name in taken if name.isdecimal()]
    return next(f"{number:04}" for number in count(max(numbers, default=0) + 1) if f"{number:04}" not in taken)


def set_down_revision(tree: Tree, path: str, revision: str | None) -> None:
    """Link a migration behind another one."""
    value = "None" if revision is None else f'"{revision}"'
    tree.write(path, DOWN_REVISION.sub(lambda match: match[1] + value, tree.text(path)))


def remove_migrations(tree: Tree, files: list[str]) -> None:
    """Remove files from the history, and link those that follow to those that precede."""
    removed = {f"{FOLDER}/{file}" for file in files} & tree.keys()
    if not removed:
        return
    previous: str | None = None
    for migration in history(tree):
        if migration.path in removed:
            del tree[migration.path]
            continue
        if migration.down_revision != previous:
            set_down_revision(tree, migration.path, previous)
        previous = migration.revision


def append_migrations(tree: Tree, additions: Tree) -> list[str]:
    """Put new migrations behind the head, with free numbers; return their paths.

    They keep their order. Databases that already run must get them, so they cannot go anywhere else.
    """
    paths = []
    for migration in history_of_part(additions):
        text, path, revision = additions.text(migration.path), migration.path, migration.revision
        if revision in {known.revision for known in history(tree)}:
            number = next_revision(tree)
            path = f"{FOLDER}/{path.rpartition('/')[2].replace(revision, number, 1)}"
            text = REVISION.sub(lambda match, number=number: match[0].replace(match[1], number), text)  # type: ignore[misc]
        previous = head(tree)
        tree.write(path, text)
        set_down_revision(tree, path, previous)
        paths.append(path)
    return paths


def history_of_part(tree: Tree) -> list[Migration]:
    """Return the migrations of an incomplete history, in their order."""
    waiting = read_migrations(tree)
    known = {migration.revision for migration in waiting}
    line: list[Migration] = []
    while waiting:
        follows = [migration for migration in waiting if migration.down_revision not in known]
        if not follows:
            raise ToolError("The migrations of the template form a circle")
        line += follows
        known -= {migration.revision for migration in follows}
        waiting = [migration for migration in waiting if migration not in follows]
    return line


def find_migration(tree: Tree, slug: str) -> str | None:
    """Return the last migration of this name, unless a later one dropped what it had."""
    paths = sorted(path for path in tree.below(FOLDER) if re.search(rf"/[^_/]+_(drop_)?{slug}\.py$", path))
    return paths[-1] if paths and f"_drop_{slug}.py" not in paths[-1] else None


class _ExchangeBodies(cst.CSTTransformer):
    """Exchange the bodies of `upgrade` and `downgrade`."""

    def __init__(self, module: cst.Module) -> None:
        functions = [part for part in module.body if isinstance(part, cst.FunctionDef)]
        bodies = {function.name.value: function.body for function in functions}
        self.bodies = {"upgrade": bodies["downgrade"], "downgrade": bodies["upgrade"]}

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        body = self.bodies.get(original_node.name.value)
        return updated_node.with_changes(body=body) if body else updated_node


def undo_migration(tree: Tree, path: str, slug: str, summary: str) -> str:
    """Append a migration that undoes another one, and whose downgrade repeats it; return its path."""
    module = cst.parse_module(tree.text(path))
    text = module.visit(_ExchangeBodies(module)).code
    revision, previous = next_revision(tree), head(tree)
    text = re.sub(r'\A""".*?"""', f'"""{summary}"""', text, count=1, flags=re.DOTALL)
    text = REVISION.sub(lambda match: match[0].replace(match[1], revision), text)
    target = f"{FOLDER}/{revision}_{slug}.py"
    tree.write(target, text)
    set_down_revision(tree, target, previous)
    return target
