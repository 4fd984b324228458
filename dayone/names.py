"""The names of a project, and what is derived from them."""

import keyword
import re
from dataclasses import dataclass
from zlib import crc32

from dayone.errors import ToolError
from dayone.trees import Tree

LONGEST_NAME, LONGEST_TITLE = 40, 60
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
TITLE = re.compile(r"[^\W_]+([ -][^\W_]+)*")
TAKEN = {
    "app",
    "benchmarks",
    "clients",
    "dayone",
    "deploy",
    "devtools",
    "docs",
    "drills",
    "migrations",
    "tests",
    "test",
}
OWN_NAME = "dayone"
MARK = "\0"
"""Stands for the title until everything else is renamed, because a title may contain what is renamed."""
OWN_PORT, OWN_DOCS_PORT, OWN_SUBNET = 8000, 8002, "172.30.0.0/24"
UNCHANGED = ("requirements/", "clients/typescript/package-lock.json")
"""They contain no name of the project; a word there is the name of a package."""


@dataclass(frozen=True, slots=True)
class Names:
    """The name of a project for machines, and its title for people."""

    name: str
    title: str

    @property
    def port(self) -> int:
        """The port in development, from 8100 to 8899."""
        return 8100 + crc32(self.name.encode()) % 800

    @property
    def docs_port(self) -> int:
        """The port of `make docs`."""
        return self.port + 1000

    @property
    def subnet(self) -> str:
        """The network between the proxy and the service under Docker Compose."""
        return f"172.30.{1 + crc32(self.name.encode()) % 255}.0/24"


def check_name(name: str) -> str:
    """Return the name, or raise ToolError with the reason why no package, image or database can have it."""
    if len(name) > LONGEST_NAME:
        raise ToolError(
            f"{name!r} is too long: {len(name)} characters; images and databases get at most {LONGEST_NAME}"
        )
    if not NAME.fullmatch(name):
        raise ToolError(
            f"{name!r} cannot name an image, a package and a database: use lower-case letters, digits and single"
            " hyphens, and begin with a letter"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package):
        raise ToolError(f"{name!r} cannot name a package: Python uses that word")
    if name in TAKEN:
        raise ToolError(f"{name!r} is the name of a folder or command of every project: choose another one")
    return name


def check_title(title: str) -> str:
    """Return the title, or raise ToolError with the reason why it cannot be used."""
    if len(title) > LONGEST_TITLE:
        raise ToolError(f"The title has {len(title)} characters; at most {LONGEST_TITLE} are allowed")
    if not TITLE.fullmatch(title):
        raise ToolError(
            f"The title {title!r} cannot be used: it appears in mail headers and configuration files, so it consists"
            " of letters, digits, and single spaces or hyphens"
        )
    return title


def title_of(name: str) -> str:
    """Return the title that a project gets if none is given."""
    return " ".join(word.capitalize() for word in name.split("-"))


def rename(tree: Tree, names: Names, titles: list[str]) -> None:
    """Rename the project by whole words; `titles` are the phrases in which its name is for people."""
    for path in tree:
        text = tree[path].text
        if text is None or path.startswith(UNCHANGED):
            continue
        for phrase in titles:
            text = text.replace(phrase, phrase.replace(OWN_NAME, MARK))
        text = re.sub(rf"\b{OWN_NAME}\b", names.name, text)
        text = re.sub(rf"(?<!\* )\b{OWN_PORT}\b", str(names.port), text)
        text = re.sub(rf"\b{OWN_DOCS_PORT}\b", str(names.docs_port), text)
        tree.write(path, text.replace(OWN_SUBNET, names.subnet).replace(MARK, names.title))
