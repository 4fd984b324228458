"""Take a later version of the template, or remove a feature, with an ordinary merge."""

import re
import subprocess
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from dayone.errors import ToolError
from dayone.features import check_features, load_features
from dayone.migrations import FOLDER, append_migrations, find_migration, undo_migration
from dayone.new import BRANCH
from dayone.project import Checkout
from dayone.render import Project, render
from dayone.source import Template
from dayone.trees import Tree

GENERATED = {
    "docs/openapi/*.json": "make openapi",
    "docs/access.md": "make openapi",
    "requirements/*.txt": "make requirements",
}
"""What commands write again: a conflict in such a file is resolved with the template's side and the command."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a merge left to do."""

    conflicts: list[str]
    commands: list[str]


def update(checkout: Checkout, template: Template, added: list[str]) -> Outcome | None:
    """Merge this version of the template, with further features; return None if there is nothing to merge."""
    checkout.repository.require_clean()
    known = load_features(template.tree)
    check_features(added, known)
    if _numbers(template.version) < _numbers(checkout.project.version):
        raise ToolError(
            f"This is dayone {template.version}, and the project has {checkout.project.version}. Install a newer dayone"
        )
    wanted = {*checkout.project.features, *added}
    project = Project(checkout.project.names, template.version, tuple(name for name in known if name in wanted))
    message = (
        f"Add {', '.join(added)} of dayone {template.version}" if added else f"Update to dayone {template.version}"
    )
    return _merge(checkout, render(template, project), message, [])


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def remove_feature(checkout: Checkout, template: Template, name: str) -> Outcome | None:
    """Merge a rendering without a feature, with migrations that undo those of the feature."""
    checkout.repository.require_clean()
    features = load_features(template.tree)
    check_features([name], features)
    if template.version != checkout.project.version:
        raise ToolError(
            f"The project is of dayone {checkout.project.version}, and this is dayone {template.version}."
            " Update first: dayone update"
        )
    if name not in checkout.project.features:
        raise ToolError(f"The project does not have the feature {name!r}")
    kept = tuple(feature for feature in checkout.project.features if feature != name)
    rendering = render(template, replace(checkout.project, features=kept))
    return _merge(checkout, rendering, f"Remove the feature {name}", features[name].migrations)


def _merge(checkout: Checkout, rendering: Tree, message: str, undone: list[str]) -> Outcome | None:
    repository, tip = checkout.repository, checkout.repository.run("rev-parse", checkout.template_revision())
    base = checkout.merged_revision()
    if repository.tree_at(base) == rendering:
        return None
    commit = tip if repository.tree_at(tip) == rendering else repository.commit(rendering, message, tip)
    head = repository.tree_at("HEAD")
    migrations = merged_migrations(head, repository.tree_at(base), rendering, undone)
    # Nothing has changed so far. A merge that is interrupted from here on is one for `git merge --abort`.
    said = repository.run("merge", "--no-ff", "--no-commit", "-m", message, commit, check=False)
    if not repository.run("rev-parse", "--quiet", "--verify", "MERGE_HEAD", check=False):
        raise ToolError(f"git cannot merge: {said}")
    repository.run("branch", "--force", BRANCH, commit)
    commands = _resolve_generated(checkout, _conflicts(checkout))
    _write_migrations(checkout, migrations)
    conflicts = _conflicts(checkout)
    if not conflicts:
        if _write_documents(checkout):
            commands = [command for command in commands if command != "make openapi"]
        repository.run("commit", "--quiet", "--no-edit")
    return Outcome(conflicts, commands)


def _conflicts(checkout: Checkout) -> list[str]:
    return checkout.repository.run("diff", "--name-only", "--diff-filter=U").splitlines()


def merged_migrations(head: Tree, base: Tree, rendering: Tree, undone: list[str]) -> Tree:
    """Return the migrations after a merge: the project keeps all that it has, and new ones follow its head.

    New ones are those that the last merged rendering did not have: a feature that is added again brings its migration
    a second time, under another number.
    """
    result = Tree({path: head[path] for path in head.below(FOLDER)})
    names = {path for path in rendering.below(FOLDER) if path not in base}
    append_migrations(result, Tree({path: rendering[path] for path in names}))
    for file in reversed(undone):
        slug = file.removesuffix(".py").partition("_")[2]
        path = find_migration(result, slug)
        if path is not None:
            undo_migration(result, path, f"drop_{slug}", f"Undo the migration {slug}: the feature was removed.")
    return result


def _write_migrations(checkout: Checkout, migrations: Tree) -> None:
    """Replace what git has merged in the folder of the migrations."""
    folder = checkout.folder / FOLDER
    for path in folder.glob("*.py"):
        if f"{FOLDER}/{path.name}" not in migrations:
            path.unlink()
    migrations.save(checkout.folder)
    checkout.repository.run("add", "--all", FOLDER)


def _resolve_generated(checkout: Checkout, conflicts: list[str]) -> list[str]:
    commands = []
    for path in conflicts:
        for pattern, command in GENERATED.items():
            if fnmatch(path, pattern):
                _take_theirs(checkout, path)
                commands.append(command)
    return list(dict.fromkeys(commands))


def _take_theirs(checkout: Checkout, path: str) -> None:
    """Resolve a conflict with the side of the template, which may have deleted the file."""
    repository = checkout.repository
    if repository.run("ls-files", "--stage", "--", path).find(" 3\t") >= 0:
        repository.run("checkout", "--theirs", "--", path)
        repository.run("add", path)
    else:
        repository.run("rm", "--quiet", "--force", "--", path)


def _write_documents(checkout: Checkout) -> bool:
    """Write the OpenAPI documents of the merged API; return whether the project is installed so that this works."""
    if not (checkout.folder / ".venv/.dev").exists():
        return False
    make = ["make", "--no-print-directory", "openapi"]
    if subprocess.run(make, cwd=checkout.folder, capture_output=True, check=False).returncode:
        return False
    checkout.repository.run("add", "docs")
    return True


def unknown_features(checkout: Checkout, template: Template) -> list[str]:
    """Return the features that a project could add."""
    return [
        name
        for name, feature in load_features(template.tree).items()
        if not feature.is_internal and name not in checkout.project.features
    ]
