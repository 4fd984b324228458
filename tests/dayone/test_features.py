"""The declarations of features."""

import re

import pytest

from dayone.features import Feature, choices, load_features, replace_section
from dayone.requirements import remove_requirements
from dayone.source import Template, load_template
from dayone.trees import Tree

FEATURES = load_features(load_template().tree)


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_every_declaration_matches_the_template(feature: Feature, template: Template) -> None:
    """A text that was changed in a shared file must be changed in the declaration, too."""
    assert list(feature.unmatched(template.tree)) == []


def test_a_missing_text_is_reported(template: Template) -> None:
    """Each kind of declaration is checked."""
    feature = Feature(
        "x",
        "",
        paths=["nowhere"],
        lines={"Makefile": ["no such line"]},
        replace={"Makefile": [["no such text", ""]]},
        sections={"README.md": {"## No such section": ""}},
        requirements={"requirements/dev": ["no-such-package"]},
        migrations=["9999_none.py"],
    )
    assert len(list(feature.unmatched(template.tree))) == 6


def test_a_section_ends_at_the_next_heading_outside_of_code() -> None:
    """A comment in a block of code is no heading."""
    text = "# A\n\none\n\n```sh\n# not a heading\n```\n\n## B\n\ntwo\n"
    assert replace_section(text, "# A", "") == "## B\n\ntwo\n"
    assert replace_section(text, "## B", "## C\n") == "# A\n\none\n\n```sh\n# not a heading\n```\n\n## C\n"


def test_what_only_a_removed_package_needs_is_removed() -> None:
    """The reasons of the others are kept up to date."""
    tree = Tree()
    tree.write("requirements/dev.in", "# Both\nalpha\nbeta\n# One\ngamma\n")
    entries = {
        "alpha": ["-r dev.in"],
        "beta": ["-r dev.in"],
        "common": ["alpha", "beta"],
        "deep": ["only"],
        "gamma": ["-r dev.in"],
        "only": ["alpha", "gamma"],
    }
    for level in ("run", "test", "dev", "base", "prod"):
        tree.write(f"requirements/{level}.txt", "# compiled\n" + "".join(entry(*item) for item in entries.items()))
    remove_requirements(tree, {"requirements/dev": ["alpha", "gamma"]})
    assert tree.text("requirements/dev.in") == "# Both\nbeta\n"
    kept = entry("beta", ["-r dev.in"]) + entry("common", ["beta"])
    assert tree.text("requirements/dev.txt") == f"# compiled\n{kept}"


def entry(name: str, reasons: list[str]) -> str:
    """Return the entry of a package as uv writes it."""
    listed = f" {reasons[0]}\n" if len(reasons) == 1 else "\n" + "".join(f"    #   {reason}\n" for reason in reasons)
    return f"{name}==1.0 \\\n    --hash=sha256:00\n    # via{listed}"


def test_the_documentation_lists_every_feature(template: Template) -> None:
    """With its default."""
    page = template.tree.text("docs/make-it-yours.md")
    for name, feature in choices(FEATURES).items():
        assert re.search(rf"^\| `{name}` \|.*\| {'yes' if feature.is_default else 'no'} \|$", page, re.MULTILINE), name
