"""Take a later version of the template, or remove a feature, with an ordinary merge."""

import subprocess
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from dayone.errors import ToolError
from dayone.features import check_features, load_features
from dayone.migrations import FOLDER, append_migrations, undo_migration
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
    check_features(added, load_features(template.tree))
    features = tuple(dict.fromkeys([*checkout.project.features, *added]))
    known = load_features(template.tree)
    project = Project(checkout.project.names, template.version, tuple(name for name in features if name in known))
    return _merge(checkout, render(template, project), f"Update to dayone {template.version}", [])


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
    repository, base = checkout.repository, checkout.template_revision()
    before = repository.tree_at(base)
    commit = repository.run("rev-parse", base)
    if rendering != before:
        commit = repository.commit(rendering, message, commit)
    elif repository.run("merge-base", commit, "HEAD") == commit:
        return None
    head = repository.tree_at("HEAD")
    migrations = merged_migrations(head, before, rendering, undone)
    # Nothing has changed so far. A merge that is interrupted from here on is one for `git merge --abort`.
    repository.run("merge", "--no-ff", "--no-commit", "-m", message, commit, check=False)
    conflicts = repository.run("diff", "--name-only", "--diff-filter=U").splitlines()
    commands = _resolve_generated(checkout, conflicts)
    _write_migrations(checkout, migrations)
    conflicts = repository.run("diff", "--name-only", "--diff-filter=U").splitlines()
    repository.run("branch", "--force", BRANCH, commit)
    if not conflicts:
        _write_documents(checkout)
        repository.run("commit", "--quiet", "--no-edit")
    return Outcome(conflicts, [command for command in commands if conflicts or command != "make openapi"])


def merged_migrations(head: Tree, before: Tree, rendering: Tree, undone: list[str]) -> Tree:
    """Return the migrations after a merge: the project keeps all that it has, and new ones follow its head."""
    result = Tree({path: head[path] for path in head.below(FOLDER)})
    for path in [path for path in rendering.below(FOLDER) if path in result and head[path] == before.get(path)]:
        result[path] = rendering[path]
    names = {path for path in rendering.below(FOLDER) if path not in before and path not in head}
    append_migrations(result, Tree({path: rendering[path] for path in names}))
    for file in reversed(undone):
        path = f"{FOLDER}/{file}"
        if path in result:
            slug = file.removesuffix(".py").partition("_")[2]
            undo_migration(result, path, f"drop_{slug}", f"Undo {file.removesuffix('.py')}: the feature was removed.")
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
                checkout.repository.run("checkout", "--theirs", "--", path)
                checkout.repository.run("add", path)
                commands.append(command)
    return list(dict.fromkeys(commands))


def _write_documents(checkout: Checkout) -> None:
    """Write the OpenAPI documents of the merged API, if the project is installed; otherwise a test asks for it."""
    if (checkout.folder / ".venv/.dev").exists():
        make = ["make", "--no-print-directory", "openapi"]
        if subprocess.run(make, cwd=checkout.folder, capture_output=True, check=False).returncode == 0:
            checkout.repository.run("add", "docs")


def unknown_features(checkout: Checkout, template: Template) -> list[str]:
    """Return the features that a project could add."""
    return [
        name
        for name, feature in load_features(template.tree).items()
        if not feature.is_internal and name not in checkout.project.features
    ]
