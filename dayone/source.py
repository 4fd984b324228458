"""The template: the tree of the service, bundled in the wheel or read from a checkout."""

import re
from dataclasses import dataclass
from pathlib import Path

from dayone.git import Repository
from dayone.trees import Tree, unpack

BUNDLE = Path(__file__).with_name("template.tar.xz")
"""`make dist` writes it into the wheel."""
VERSION_FILE = "dayone/pyproject.toml"


@dataclass(frozen=True, slots=True)
class Template:
    """A version of the service, from which projects are made."""

    version: str
    tree: Tree


def make_template(tree: Tree) -> Template:
    """Read the version of a tree."""
    version = re.search(r'^version = "(.+)"$', tree.text(VERSION_FILE), re.MULTILINE)
    assert version, f"{VERSION_FILE} has no version"
    return Template(version[1], tree)


def load_template() -> Template:
    """Return the template of this version of the tool."""
    if BUNDLE.exists():
        return make_template(unpack(BUNDLE.read_bytes()))
    return make_template(Repository(Path(__file__).parent.parent).files())
