"""A project that the tests copy."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dayone.names import Names
from dayone.new import make_project
from dayone.project import Checkout, open_project
from dayone.render import Project
from dayone.source import Template, load_template

FEATURES = ("items", "v2", "monitoring")


@pytest.fixture(scope="session")
def template() -> Template:
    """The template of this checkout."""
    return load_template()


@pytest.fixture(scope="session")
def pristine(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it was made."""
    folder = tmp_path_factory.mktemp("projects") / "shop"
    make_project(template, folder, Project(Names("shop", "Corner Shop"), template.version, FEATURES))
    return folder


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Checkout:
    """A copy of the project."""
    return open_project(Path(shutil.copytree(pristine, tmp_path / "shop")))


@pytest.fixture
def commit(project: Checkout) -> Callable[[str, str], None]:
    """Change a file of the project as its owner, and commit that."""

    def change(path: str, text: str) -> None:
        (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / path).write_text(text)
        subprocess.run(["git", "add", "--all"], cwd=project.folder, check=True)
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *author, "commit", "-qm", f"Change {path}"], cwd=project.folder, check=True)

    return change
