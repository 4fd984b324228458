"""The report on a project."""

from collections.abc import Callable

from dayone.doctor import examine
from dayone.project import Checkout
from dayone.source import Template


def test_it_says_what_differs(project: Checkout, template: Template, commit: Callable[[str, str], None]) -> None:
    """Versions, features, changed files, migrations, and what is not installed yet."""
    commit("app/services/own.py", '"""Our own."""\n')
    found = {finding.subject: finding for finding in examine(project, Template("9.9.9", template.tree))}
    assert found["template"].state == f"{template.version}; dayone 9.9.9 is installed: dayone update"
    assert found["features"].state == "items, v2, monitoring"
    assert found["changed files"].state == "1 since the template: dayone diff"
    assert found["migrations"].state == "7, the last is 0007"
    assert found["installation"].state == "not installed yet: make run"
    assert not [finding for finding in found.values() if finding.is_failure]


def test_it_says_what_would_fail(project: Checkout, template: Template, commit: Callable[[str, str], None]) -> None:
    """Two heads of the migrations, and a branch that is missing."""
    copied = (
        (project.folder / "migrations/versions/0006_items.py")
        .read_text()
        .replace('revision: str = "0006"', 'revision: str = "0008"')
    )
    commit("migrations/versions/0008_copied.py", copied)
    project.repository.run("branch", "-D", "template")
    failures = {finding.subject for finding in examine(project, template) if finding.is_failure}
    assert failures == {"branch template", "migrations"}
