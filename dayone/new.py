"""Start a project."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayone.errors import ToolError
from dayone.git import Repository
from dayone.render import Project, render
from dayone.source import Template

BRANCH = "template"
"""The branch with the pristine renderings, which `update` merges."""


def check_target(target: Path) -> None:
    """Raise ToolError if a project cannot be made there."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ToolError(f"{target} exists and is not an empty folder; nothing is overwritten. Choose another path")
    if not target.parent.is_dir():
        raise ToolError(f"The folder {target.parent} does not exist. Create it first")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that becomes the target at the end; after an error or an interruption it is deleted."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise ToolError(f"The folder {target.parent} cannot be written to: {error.strerror}") from None
    try:
        yield folder
        folder.chmod(0o755)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def make_project(template: Template, target: Path, project: Project) -> None:
    """Render the project into a new folder, and commit it on the branches `main` and `template`."""
    check_target(target)
    tree = render(template, project)
    with new_folder(target) as folder:
        tree.save(folder)
        repository = Repository(folder)
        repository.run("init", "--quiet", "--initial-branch=main")
        commit = repository.commit(tree, f"Start from dayone {template.version}")
        repository.run("reset", "--quiet", commit)
        repository.run("branch", BRANCH)
