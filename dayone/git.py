"""The git commands that the tool runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dayone.errors import ToolError
from dayone.trees import Tree, read_files

OLDEST = (2, 39)
"""The first version whose `merge-tree` merges without a checkout; Debian 12 has it."""
COMMITTER = ("-c", "user.name=dayone", "-c", "user.email=dayone@localhost")
"""For repositories without an identity: the commits of the template are not the work of a person."""


def require_git() -> None:
    """Raise ToolError without a git that is new enough."""
    if shutil.which("git") is None:
        raise ToolError("git is not installed; install git 2.39 or newer")
    version = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise ToolError(f"{version.strip()} is too old; install git 2.39 or newer")


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with its work tree."""

    folder: Path

    def run(self, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
        """Run a git command and return its output; raise ToolError with git's message if it fails."""
        done = subprocess.run(
            ["git", *self._identity(), *arguments],
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if check and done.returncode:
            raise ToolError(f"git {' '.join(arguments)} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout.strip()

    def _identity(self) -> tuple[str, ...]:
        has_one = subprocess.run(
            ["git", "config", "user.email"], cwd=self.folder, capture_output=True, check=False
        ).stdout
        return () if has_one or os.environ.get("GIT_AUTHOR_EMAIL") else COMMITTER

    def files(self) -> Tree:
        """Return the files that git tracks, or would track, as they are in the work tree."""
        return read_files(self.folder, self.run("ls-files", "-z", "-co", "--exclude-standard").split("\0"))

    def tree_at(self, revision: str) -> Tree:
        """Return the files of a revision."""
        with TemporaryDirectory() as folder:
            environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.run("read-tree", revision, environment=environment)
            self.run("checkout-index", "--all", f"--prefix={folder}/files/", environment=environment)
            files = Path(folder) / "files"
            return read_files(files, [str(path.relative_to(files)) for path in files.rglob("*")])

    def commit(self, tree: Tree, message: str, *parents: str) -> str:
        """Commit a tree without touching the work tree; return the name of the commit."""
        with TemporaryDirectory() as folder:
            tree.save(Path(folder) / "files")
            environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            # Forced: the template may ignore files that it tracks.
            self.run("--work-tree", f"{folder}/files", "add", "--all", "--force", environment=environment)
            name = self.run("write-tree", environment=environment)
        options = [option for parent in parents for option in ("-p", parent)]
        return self.run("commit-tree", name, *options, "-m", message)

    def require_clean(self) -> None:
        """Raise ToolError if something is not committed, or if a merge is not finished."""
        if self.run("status", "--porcelain"):
            raise ToolError("There are changes that are not committed. Commit or stash them first: git status")


def find_repository(folder: Path) -> Repository:
    """Return the repository whose root is this folder; raise ToolError if it is none."""
    if not (folder / ".git").exists():
        raise ToolError(f"{folder} is not the root of a git repository")
    return Repository(folder)
