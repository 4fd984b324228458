"""Starting a project."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.database_url import PROJECT_ROOT
from dayone.git import Repository
from dayone.project import Checkout
from dayone.source import Template
from dayone.trees import pack, unpack

COMMAND = (sys.executable, "-m", "dayone", "new")


def new(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    variables = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), **environment}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_a_project_has_one_commit_on_two_branches(project: Checkout) -> None:
    """Nothing is left to commit, and `.dayone.toml` records what was chosen."""
    assert project.repository.run("status", "--porcelain") == ""
    assert project.repository.run("rev-parse", "main", "template").split()[0] == project.repository.run(
        "rev-parse", "HEAD"
    )
    assert project.repository.run("rev-list", "--count", "HEAD") == "1"
    assert (project.project.names.title, project.project.features) == ("Corner Shop", ("items", "v2", "monitoring"))


def test_the_name_of_the_template_is_left_only_in_the_name_of_the_tool(project: Checkout) -> None:
    """The README names its commands, the changelog and the licence the origin."""
    files = project.repository.files()
    named = {path for path, file in files.items() if "dayone" in (file.text or "") and "requirements/" not in path}
    assert named == {".dayone.toml", "CHANGELOG.md", "LICENSE", "README.md"}
    assert files.text("README.md").startswith("# Corner Shop\n")
    assert not [path for path in files if path.startswith(("dayone/", "drills/", "benchmarks/", "clients/"))]


def test_it_asks_nothing_with_yes_and_says_what_comes_next(tmp_path: Path) -> None:
    """A second project of that name is refused, and the first one stays."""
    done = new(tmp_path, "shop", "--yes", "--without", "clients")
    assert done.returncode == 0, done.stderr
    assert "cd shop\n  make run" in done.stdout
    before = Repository(tmp_path / "shop").run("rev-parse", "HEAD")
    again = new(tmp_path, "shop", "--yes")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "nothing is overwritten" in again.stderr
    assert Repository(tmp_path / "shop").run("rev-parse", "HEAD") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Shop",), "lower-case"),
        (("missing/shop",), "does not exist"),
        (("/proc/shop",), "cannot be written to"),
        (("shop", "--without", "nonsense"), "The features are: items"),
        (("shop", "--name", 'The "shop"'), "title"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Nothing is written."""
    done = new(tmp_path, *arguments, "--yes")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_git_is_needed(tmp_path: Path) -> None:
    """The message says which version."""
    done = new(tmp_path, "shop", "--yes", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "Error: git is not installed; install git 2.39 or newer\n")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.2])
def test_an_interrupted_command_leaves_nothing_half_made(tmp_path: Path, stop: signal.Signals, seconds: float) -> None:
    """The folder is complete, or it does not exist; no temporary folder stays."""
    variables = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    process = subprocess.Popen(
        [*COMMAND, "shop", "--yes"], cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(stop)
        process.wait()
    made = [path.name for path in tmp_path.iterdir()]
    assert made in ([], ["shop"])
    if made:
        assert Repository(tmp_path / "shop").run("status", "--porcelain") == ""


def test_an_archive_has_the_tree(template: Template) -> None:
    """The wheel contains it; equal trees give equal archives."""
    archive = pack(template.tree)
    assert unpack(archive) == template.tree
    assert pack(unpack(archive)) == archive
