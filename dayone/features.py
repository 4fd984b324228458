"""Features: what can be removed, and how. `features.toml` declares them."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dayone.errors import ToolError
from dayone.migrations import remove_migrations
from dayone.openapi import remove_tags
from dayone.requirements import remove_requirements
from dayone.trees import Tree

DECLARATIONS = "dayone/features.toml"
FENCE = "```"
Edits = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Feature:
    """What belongs to a feature. All of it is in the template; a feature can only be removed."""

    name: str
    summary: str
    is_default: bool = True
    """Whether a new project has it unless it is refused."""
    is_internal: bool = False
    """Whether it belongs to the template alone, so that no project has it."""
    paths: list[str] = field(default_factory=list)
    """Files and folders."""
    lines: Edits = field(default_factory=dict)
    """By file: each line that contains one of these texts is removed."""
    replace: dict[str, list[list[str]]] = field(default_factory=dict)
    """By file: pairs of a text and its replacement, at every occurrence."""
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    """By file: headings, and what replaces the section up to the next heading."""
    requirements: Edits = field(default_factory=dict)
    """By file, without its suffix: direct requirements."""
    tags: list[str] = field(default_factory=list)
    """The tags of its operations in version 1 of the API."""
    migrations: list[str] = field(default_factory=list)
    """Files in `migrations/versions/`."""

    def remove_from(self, tree: Tree) -> None:
        """Remove the feature; files that another feature has removed are passed over."""
        for path in [found for owned in self.paths for found in tree.below(owned)]:
            del tree[path]
        for path in self.edited_files() & tree.keys():
            tree.write(path, self.edited(path, tree.text(path)))
        remove_requirements(tree, self.requirements)
        remove_tags(tree, self.tags)
        remove_migrations(tree, self.migrations)

    def edited_files(self) -> set[str]:
        """Return the shared files that are edited."""
        return {*self.lines, *self.replace, *self.sections}

    def edited(self, path: str, text: str, *, with_replacements: bool = True) -> str:
        """Return the text of a shared file without the feature."""
        for heading, replacement in self.sections.get(path, {}).items():
            text = replace_section(text, heading, replacement)
        if path in self.lines:
            lines = text.splitlines(keepends=True)
            text = "".join(line for line in lines if not any(part in line for part in self.lines[path]))
        for old, new in self.replace.get(path, []) if with_replacements else []:
            text = text.replace(old, new)
        return text

    def unmatched(self, tree: Tree) -> Iterator[str]:
        """Yield what is declared and not in the tree."""
        yield from (path for path in self.paths if not list(tree.below(path)))
        yield from (path for path in self.migrations if f"migrations/versions/{path}" not in tree)
        for path in self.edited_files():
            text = tree.text(path)
            yield from (f"{path}: {part}" for part in self.sections.get(path, {}) if f"{part}\n" not in text)
            yield from (f"{path}: {part}" for part in self.lines.get(path, []) if part not in text)
            text = self.edited(path, text, with_replacements=False)
            for old, new in self.replace.get(path, []):
                if old not in text:
                    yield f"{path}: {old}"
                text = text.replace(old, new)
        for name, packages in self.requirements.items():
            text = tree.text(f"{name}.in")
            yield from (f"{name}.in: {package}" for package in packages if package not in text.split())


def replace_section(text: str, heading: str, replacement: str) -> str:
    """Replace a section of Markdown or TOML, from its heading to the next one."""
    kept: list[str] = []
    beginning = r"\[" if heading.startswith("[") else "#+ "
    is_inside = is_fenced = False
    for line in text.splitlines(keepends=True):
        is_fenced ^= line.startswith(FENCE)
        if line.rstrip() == heading:
            is_inside = True
            kept.append(replacement)
        elif not is_fenced and re.match(beginning, line):
            is_inside = False
        if not is_inside:
            kept.append(line)
    return "".join(kept)


def load_features(tree: Tree) -> dict[str, Feature]:
    """Read the features of a version of the template."""
    declared = tomllib.loads(tree.text(DECLARATIONS))
    return {name: Feature(name, **values) for name, values in declared["features"].items()}


def load_titles(tree: Tree) -> list[str]:
    """Return the phrases in which the name of the project is for people."""
    titles: list[str] = tomllib.loads(tree.text(DECLARATIONS))["titles"]
    return titles


def choices(features: dict[str, Feature]) -> dict[str, Feature]:
    """Return the features that a project can have."""
    return {name: feature for name, feature in features.items() if not feature.is_internal}


def check_features(names: Iterable[str], features: dict[str, Feature]) -> None:
    """Raise ToolError for a name that is no feature."""
    for name in names:
        if name not in choices(features):
            raise ToolError(f"There is no feature {name!r}. The features are: {', '.join(choices(features))}")
