"""A project that the tool has made."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from dayone.errors import ToolError
from dayone.git import Repository, find_repository, require_git
from dayone.names import Names
from dayone.new import BRANCH
from dayone.render import RECORD, Project


@dataclass(frozen=True, slots=True)
class Checkout:
    """The repository of a project, with what `.dayone.toml` records."""

    repository: Repository
    project: Project

    @property
    def folder(self) -> Path:
        """The root of the project."""
        return self.repository.folder

    def merged_revision(self) -> str:
        """Return the last rendering that the project has merged; the branch may be ahead of it."""
        return self.repository.run("merge-base", self.template_revision(), "HEAD")

    def template_revision(self) -> str:
        """Return the branch with the pristine renderings; a fresh clone has it as a branch of its remote."""
        for name in (BRANCH, f"origin/{BRANCH}"):
            if self.repository.run("rev-parse", "--quiet", "--verify", name, check=False):
                return name
        fetch = f"git fetch origin {BRANCH}:{BRANCH}"
        raise ToolError(f"There is no branch `{BRANCH}`. Fetch it from where the project was made: {fetch}")


def read_project(text: str) -> Project:
    """Read `.dayone.toml`; raise ToolError if it is damaged."""
    try:
        record = tomllib.loads(text)
        names = Names(record["name"], record["title"])
        return Project(names, record["version"], tuple(record["features"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ToolError(f"{RECORD} is damaged: {error}. Restore it: git checkout {BRANCH} -- {RECORD}") from None


def open_project(folder: Path) -> Checkout:
    """Return the project in this folder or above it."""
    require_git()
    for candidate in (folder, *folder.parents):
        if (candidate / RECORD).exists():
            return Checkout(find_repository(candidate), read_project((candidate / RECORD).read_text()))
    raise ToolError(f"There is no {RECORD} here or above: this is not a project that `dayone new` has made")
