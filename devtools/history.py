"""A project whose owner has changed fifty files, and which takes a later version of the template.

The older version is the first commit of this repository that declares features; the later one is the work tree, with
a change of a line that the owner has changed, too, and with a new migration.
"""

from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from dayone.git import Repository
from dayone.migrations import FOLDER, history
from dayone.names import Names
from dayone.new import make_project
from dayone.project import open_project
from dayone.render import Project, render
from dayone.resources.commands import add_resource
from dayone.source import Template, load_template, make_template
from dayone.trees import Tree
from dayone.update import update

CHANGED_FILES = 50
DISPUTED = "app/main.py"
OWN_LINE, THEIR_LINE = 'DESCRIPTION = "Our books."', 'DESCRIPTION = "Accounts, sessions and resources."'
COMMENT = "\n# The owner of the project was here.\n"
MIGRATION = '''"""{summary}."""

from collections.abc import Sequence

from alembic import op

revision: str = "{revision}"
down_revision: str | None = "{down_revision}"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Change nothing that Alembic compares."""
    op.execute("SELECT 1")


def downgrade() -> None:
    """Change nothing."""
'''


def older_version() -> Template:
    """Return the first version that declares features; in a clone without a history, this one."""
    repository = Repository(PROJECT_ROOT)
    log = ("log", "--reverse", "--diff-filter=A", "--format=%H", "--", "dayone/features.toml")
    first = repository.run(*log).split()
    return make_template(repository.tree_at(first[0])) if first else load_template()


def later_version(template: Template) -> Template:
    """Return a version with a line and a migration more than the work tree."""
    tree = template.tree.copy()
    replace_description(tree, THEIR_LINE)
    last = history(tree)[-1].revision
    add_migration(tree, f"{int(last) + 1:04}", last, "A later version")
    return Template("9.9.9", tree)


def replace_description(tree: Tree, line: str) -> None:
    """Change the disputed line."""
    lines = tree.text(DISPUTED).splitlines()
    changed = [line if old.startswith("DESCRIPTION = ") else old for old in lines]
    tree.write(DISPUTED, "\n".join(changed) + "\n")


def add_migration(tree: Tree, revision: str, down_revision: str, summary: str) -> None:
    """Add a migration that changes no table."""
    slug = summary.lower().replace(" ", "_")
    text = MIGRATION.format(revision=revision, down_revision=down_revision, summary=summary)
    tree.write(f"{FOLDER}/{revision}_{slug}.py", text)


def take_a_later_version(folder: Path) -> Path:
    """Make the project, change it, and update it; exactly the disputed file has a conflict, which is resolved."""
    old, new = older_version(), later_version(load_template())
    features = ("items", "v2", "compose", "kubernetes", "monitoring", "recipes")
    project = Project(Names("library", "Library"), old.version, features)
    target = folder / "library"
    make_project(old, target, project)
    (target / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    (target / ".git" / "info" / "exclude").write_text(".venv\n")  # a link, which `.venv/` does not match
    add_resource(open_project(target), old, "book", ["title:str", "pages:int?"], plural=None, dry_run=False)
    change_as_owner(target, render(new, project))
    repository = Repository(target)
    repository.run("add", "--all")
    repository.run("commit", "--quiet", "--message", "Fifty changes, a resource and a migration")
    before = history(repository.files())
    outcome = update(open_project(target), new, [])
    assert outcome is not None
    assert outcome.conflicts == [DISPUTED], outcome.conflicts
    line = history(repository.files())
    assert line[: len(before)] == before
    assert line[-1].path.endswith("_a_later_version.py")
    resolve(target)
    repository.run("add", "--all")
    repository.run("commit", "--quiet", "--no-edit")
    return target


def change_as_owner(target: Path, later: Tree) -> None:
    """Change fifty files whose end is the same in the later version, the disputed line, and the schema."""
    repository = Repository(target)
    files = repository.files()
    same_end = [
        path
        for path in sorted(files)
        if path.startswith(("app/", "tests/")) and path.endswith(".py") and path in later and path != DISPUTED
        if len(files.text(path)) > len(COMMENT) and files.text(path)[-200:] == later.text(path)[-200:]
    ]
    for path in same_end[:CHANGED_FILES]:
        files.write(path, files.text(path) + COMMENT)
    assert len(same_end) >= CHANGED_FILES
    replace_description(files, OWN_LINE)
    last = history(files)[-1].revision
    add_migration(files, f"{int(last) + 1:04}", last, "Our own migration")
    files.save(target)


def resolve(target: Path) -> None:
    """Keep the line of the owner, as a person would."""
    text = (target / DISPUTED).read_text()
    before, _, rest = text.partition("<<<<<<<")
    ours, _, after = rest.partition("=======")
    kept = ours.partition("\n")[2]
    (target / DISPUTED).write_text(before + kept + after.partition(">>>>>>>")[2].partition("\n")[2])
