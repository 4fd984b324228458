"""Use the tool as its users do: from the wheel, in an empty environment and an empty folder.

A project is made, gets two resources and loses them again; another one, which its owner has changed, takes a later
version. Lint, tests and the fuzzer are green where a user expects it.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from devtools.copies import LINT, run_in
from devtools.dist import build
from devtools.history import take_a_later_version

RESOURCES = (
    ("book", "title:str", "isbn:str:unique", "pages:int?", "published:date?", "genre:enum(novel,essay)"),
    ("author", "name:str(80)", "fee:decimal(8,2):indexed", "born:datetime?", "is_active:bool=true", "links:json?"),
)
TESTS = (
    "tests/api",
    "tests/services",
    "tests/db/test_migrations.py",
    "tests/test_access.py",
    "tests/test_bad_input.py",
    "tests/test_commit_order.py",
    "tests/test_failing_commits.py",
)


class Shell:
    """Runs commands in a folder, with the programs of one environment first."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs

    def run(self, *command: str | Path) -> str:
        """Run a command and return its output; exit with the output if it fails."""
        done = run_in(self.folder, self.programs, *command)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed in {self.folder.name}:\n{done.stdout}")
        return done.stdout


def install(folder: Path) -> Path:
    """Install the wheel into an empty environment; return the folder of its programs."""
    wheel = build(folder)
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    return programs


def add_and_remove_resources(folder: Path, programs: Path) -> None:
    """Add resources and remove them; only their migrations may remain."""
    Shell(folder, programs).run("dayone", "new", "shop", "--yes")
    tool, project = Shell(folder / "shop", programs), Shell(folder / "shop", PROJECT_ROOT / ".venv" / "bin")
    (folder / "shop" / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    (folder / "shop" / ".git" / "info" / "exclude").write_text(".venv\n")  # a link, which `.venv/` does not match
    for resource in RESOURCES:
        tool.run("dayone", "add", "resource", *resource)
        assert "nothing changes" in tool.run("dayone", "add", "resource", *resource)
    for command in LINT:
        project.run(*command)
    project.run("python", "-m", "pytest", "-n", "2", "--no-cov", "-m", "not soak", *TESTS)
    project.run("python", "-m", "devtools.fuzz", "--examples=2")
    tool.run("dayone", "doctor")
    tool.run("git", "add", "--all")
    tool.run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=Resources")
    for name, *_ in RESOURCES:
        tool.run("dayone", "remove", "resource", name)
    tool.run("git", "add", "--all")
    left = tool.run("git", "diff", "--cached", "--name-only", "template").split()
    assert len(left) == 2 * len(RESOURCES), left
    assert all(path.startswith("migrations/versions/") for path in left), left
    project.run("python", "-m", "pytest", "-n", "2", "--no-cov", "tests/db/test_migrations.py")


def main() -> None:
    """Run all scenarios."""
    with tempfile.TemporaryDirectory(prefix="made-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # As root PostgreSQL runs as another user.
        programs = install(folder)
        add_and_remove_resources(folder, programs)
        project = take_a_later_version(folder)
        shell = Shell(project, PROJECT_ROOT / ".venv" / "bin")
        shell.run("make", "--no-print-directory", "-o", ".venv/.dev", "openapi", "fmt")
        for command in LINT:
            shell.run(*command)
        shell.run("python", "-m", "pytest", "-n", "2", "--no-cov", "-m", "not soak")


if __name__ == "__main__":
    main()
