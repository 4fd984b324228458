"""Taking later versions, and removing features, with git."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dayone.errors import ToolError
from dayone.migrations import FOLDER, history
from dayone.project import Checkout, open_project
from dayone.source import Template
from dayone.update import remove_feature, update

Commit = Callable[[str, str], None]
MIGRATION = '''"""{0}."""

revision: str = "{1}"
down_revision: str | None = "{2}"


def upgrade() -> None:
    """Go on."""


def downgrade() -> None:
    """Go back."""
'''


def later(template: Template, **files: str) -> Template:
    """Return a later version, with other texts of some files."""
    tree = template.tree.copy()
    for path, text in files.items():
        tree.write(path, text)
    return Template("9.9.9", tree)


def test_changes_of_both_sides_are_merged(project: Checkout, template: Template, commit: Commit) -> None:
    """Nothing is left to do, and the record has the new version."""
    commit("app/services/own.py", '"""Our own."""\n')
    new = later(
        template, **{"docs/new.md": "# New\n", "app/api/links.py": template.tree.text("app/api/links.py") + "\n# New\n"}
    )
    outcome = update(project, new, [])
    assert outcome is not None
    assert outcome.conflicts == []
    files = project.repository.files()
    assert {"app/services/own.py", "docs/new.md"} <= files.keys()
    assert "# New" in files.text("app/api/links.py")
    assert open_project(project.folder).project.version == "9.9.9"
    assert project.repository.run("status", "--porcelain") == ""
    assert update(open_project(project.folder), new, []) is None


def test_conflicts_are_ordinary_and_can_be_taken_back(project: Checkout, template: Template, commit: Commit) -> None:
    """`git merge --abort` restores the state before; the same update is possible again."""
    commit("app/api/links.py", '"""Ours."""\n')
    migration = f"{FOLDER}/0008_later.py"
    new = later(
        template, **{"app/api/links.py": '"""Theirs."""\n', migration: MIGRATION.format("Later", "0008", "0007")}
    )
    for _ in range(2):
        outcome = update(project, new, [])
        assert outcome is not None
        assert outcome.conflicts == ["app/api/links.py"]
        assert "<<<<<<<" in (project.folder / "app/api/links.py").read_text()
        assert (project.folder / migration).exists()
        project.repository.run("merge", "--abort")
        assert project.repository.run("status", "--porcelain") == ""


def test_new_migrations_follow_those_of_the_project(project: Checkout, template: Template, commit: Commit) -> None:
    """Their numbers are free; an edited migration of the template keeps the edits."""
    own = f"{FOLDER}/0008_own.py"
    commit(own, MIGRATION.format("Own", "0008", "0007"))
    edited = f"{FOLDER}/0006_items.py"
    commit(edited, project.repository.files().text(edited) + "# Edited\n")
    new = later(
        template,
        **{
            f"{FOLDER}/0008_first.py": MIGRATION.format("First", "0008", "0007"),
            f"{FOLDER}/0009_second.py": MIGRATION.format("Second", "0009", "0008"),
        },
    )
    outcome = update(project, new, [])
    assert outcome is not None
    assert outcome.conflicts == []
    files = project.repository.files()
    names = [migration.path.rpartition("/")[2] for migration in history(files)][-4:]
    assert names == ["0007_security_log.py", "0008_own.py", "0009_first.py", "0010_second.py"]
    assert files.text(edited).endswith("# Edited\n")
    assert update(open_project(project.folder), new, []) is None


def test_what_is_not_committed_is_not_put_at_risk(project: Checkout, template: Template) -> None:
    """Neither by an update nor by a removal."""
    (project.folder / "README.md").write_text("Changed\n")
    with pytest.raises(ToolError, match="not committed"):
        update(project, template, [])
    with pytest.raises(ToolError, match="not committed"):
        remove_feature(project, template, "v2")


def test_a_removed_feature_drops_what_it_had(project: Checkout, template: Template, commit: Commit) -> None:
    """Its migration stays, because databases have run it, and a new one undoes it."""
    commit("app/services/own.py", '"""Our own."""\n')
    outcome = remove_feature(project, template, "items")
    assert outcome is not None
    assert outcome.conflicts == []
    files = project.repository.files()
    assert not [path for path in files if path.endswith(("item.py", "items.py")) and not path.startswith(FOLDER)]
    line = history(files)
    assert [migration.path.rpartition("/")[2] for migration in line][-2:] == [
        "0007_security_log.py",
        "0008_drop_items.py",
    ]
    assert open_project(project.folder).project.features == ("v2", "monitoring")
    assert "app/services/own.py" in files


def test_a_feature_that_is_added_again_has_its_table_again(project: Checkout, template: Template) -> None:
    """Its migration comes a second time; a later removal undoes that one."""
    remove_feature(project, template, "items")
    update(open_project(project.folder), template, ["items"])
    remove_feature(open_project(project.folder), template, "items")
    names = [migration.path.rpartition("/")[2] for migration in history(project.repository.files())]
    assert names[-4:] == ["0007_security_log.py", "0008_drop_items.py", "0009_items.py", "0010_drop_items.py"]


def test_an_older_tool_is_refused(project: Checkout, template: Template) -> None:
    """It would take back what a later version has changed."""
    update(project, later(template), [])
    with pytest.raises(ToolError, match="Install a newer dayone"):
        update(open_project(project.folder), template, [])


def test_a_deleted_document_is_no_conflict(project: Checkout, template: Template, commit: Commit) -> None:
    """A document that a command writes follows the template, also where that has deleted it."""
    commit("docs/openapi/v2.json", "{}\n")
    outcome = remove_feature(project, template, "v2")
    assert outcome is not None
    assert (outcome.conflicts, outcome.commands) == ([], ["make openapi"])
    assert "docs/openapi/v2.json" not in project.repository.files()


def test_a_removal_is_for_the_version_of_the_project(project: Checkout, template: Template) -> None:
    """The project must have the feature."""
    with pytest.raises(ToolError, match="Update first"):
        remove_feature(project, later(template), "items")
    with pytest.raises(ToolError, match="does not have"):
        remove_feature(project, template, "compose")
    with pytest.raises(ToolError, match="There is no feature"):
        remove_feature(project, template, "template")


def test_a_feature_can_be_added_later(project: Checkout, template: Template) -> None:
    """Its files come with the merge."""
    outcome = update(project, template, ["compose"])
    assert outcome is not None
    assert outcome.conflicts == []
    assert "docker-compose.yml" in project.repository.files()


def test_a_clone_has_the_branch_of_its_remote(project: Checkout, template: Template, tmp_path: Path) -> None:
    """It is made a local branch; without any, the message says where to get it."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(project.folder), str(clone)], check=True)
    checkout = open_project(clone)
    assert checkout.template_revision() == "origin/template"
    assert update(checkout, later(template), []) is not None
    assert checkout.template_revision() == "template"
    checkout.repository.run("branch", "-D", "template")
    checkout.repository.run("remote", "remove", "origin")
    with pytest.raises(ToolError, match="There is no branch `template`"):
        checkout.template_revision()


def test_a_damaged_record_is_named(project: Checkout, tmp_path: Path) -> None:
    """A folder that is no project is refused, too."""
    (project.folder / ".dayone.toml").write_text("version = 1\n")
    with pytest.raises(ToolError, match="is damaged"):
        open_project(project.folder)
    shutil.rmtree(project.folder)
    with pytest.raises(ToolError, match="not a project"):
        open_project(tmp_path)
