"""Render a project: the template without some features, under another name."""

from dataclasses import dataclass
from string import Template as Text

from dayone.features import Feature, load_features, load_titles
from dayone.formatting import format_code
from dayone.names import OWN_NAME, Names, rename
from dayone.source import Template
from dayone.trees import Tree

RECORD = ".dayone.toml"
WITH_VALUES = ("README.md", "CHANGELOG.md", "LICENSE")
"""The files whose texts in `features.toml` have placeholders."""


@dataclass(frozen=True, slots=True)
class Project:
    """What `.dayone.toml` records: from this and a version of the template its rendering can be repeated."""

    names: Names
    version: str
    features: tuple[str, ...]

    def record(self) -> str:
        """Return the text of `.dayone.toml`."""
        features = "".join(f'    "{name}",\n' for name in self.features)
        return (
            "# `dayone` writes and reads this file. The branch `template` has the files as they were made.\n"
            f'version = "{self.version}"\nname = "{self.names.name}"\ntitle = "{self.names.title}"\n'
            f"features = [\n{features}]\n"
        )


def render(template: Template, project: Project) -> Tree:
    """Return the files of a project."""
    tree = template.tree.copy()
    features = load_features(template.tree)
    titles = load_titles(template.tree)
    for feature in removed(features, project.features):
        feature.remove_from(tree)
    rename(tree, project.names, titles)
    values = {"title": project.names.title, "version": project.version, "tool": OWN_NAME}
    for path in WITH_VALUES:
        tree.write(path, Text(tree.text(path)).safe_substitute(values))
    format_code(tree)
    tree.write(RECORD, project.record())
    return tree


def removed(features: dict[str, Feature], kept: tuple[str, ...]) -> list[Feature]:
    """Return the features that a project does not have, those of the template alone first."""
    return sorted(
        (feature for name, feature in features.items() if name not in kept), key=lambda feature: not feature.is_internal
    )
