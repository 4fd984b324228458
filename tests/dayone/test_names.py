"""The names of projects."""

import pytest

from dayone.errors import ToolError
from dayone.names import Names, check_name, check_title, rename, title_of
from dayone.trees import Tree


@pytest.mark.parametrize("name", ["shop", "corner-shop", "s3", "a" * 40])
def test_ordinary_names_are_accepted(name: str) -> None:
    """They name an image, a package and a database."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Shop", "lower-case"),
        ("3d", "begin with a letter"),
        ("a--b", "single hyphens"),
        ("shop-", "single hyphens"),
        ("käse", "lower-case"),
        ("", "lower-case"),
        ("class", "Python uses that word"),
        ("tests", "every project"),
        ("a" * 41, "too long"),
    ],
)
def test_other_names_are_refused_with_the_reason(name: str, reason: str) -> None:
    """Before anything is written."""
    with pytest.raises(ToolError, match=reason):
        check_name(name)


@pytest.mark.parametrize("title", ['Shop "24"', "Shop\n", "<b>", "a  b", "", "x" * 61, "${title}"])
def test_a_title_that_would_break_a_file_is_refused(title: str) -> None:
    """It appears in mail headers, TOML, YAML and Python."""
    with pytest.raises(ToolError, match="title"):
        check_title(title)


def test_a_title_may_have_any_letters() -> None:
    """The default is made of the name."""
    assert check_title("Käse und Brot 24") == "Käse und Brot 24"
    assert title_of("corner-shop") == "Corner Shop"


def test_whole_words_are_renamed() -> None:
    """The title where people read it, the name elsewhere; ports and networks differ from project to project."""
    tree = Tree()
    tree.write("a.yaml", "name: dayone\nport: 8000\nsubnet: 172.30.0.0/24\ndayones: 18000\n")
    tree.write("b.py", 'project_name: str = "dayone"\nLONG = "x" * 8000\n')
    tree.write("requirements/base.txt", "dayone==8000\n")
    names = Names("shop", "My dayone 8000")
    rename(tree, names, ['project_name: str = "dayone"'])
    assert tree.text("a.yaml") == f"name: shop\nport: {names.port}\nsubnet: {names.subnet}\ndayones: 18000\n"
    assert tree.text("b.py") == 'project_name: str = "My dayone 8000"\nLONG = "x" * 8000\n'
    assert tree.text("requirements/base.txt") == "dayone==8000\n"
    assert Names("other", "Other").port != names.port
    assert Names("other", "Other").subnet != names.subnet
