"""One linear history of migrations."""

import pytest

from dayone.errors import ToolError
from dayone.migrations import (
    FOLDER,
    append_migrations,
    find_migration,
    history,
    next_revision,
    remove_migrations,
    undo_migration,
)
from dayone.trees import Tree

TEXT = '''"""A migration."""

revision: str = "{revision}"
down_revision: str | None = {down}


def upgrade() -> None:
    """Go on."""
    op.create_table("{revision}")


def downgrade() -> None:
    """Go back."""
    op.drop_table("{revision}")
'''


def tree_of(*links: tuple[str, str | None]) -> Tree:
    """Return a tree with migrations."""
    tree = Tree()
    for revision, down in links:
        text = TEXT.format(revision=revision, down=f'"{down}"' if down else "None")
        tree.write(f"{FOLDER}/{revision}_x.py", text)
    return tree


def revisions(tree: Tree) -> list[str]:
    """Return the revisions in their order."""
    return [migration.revision for migration in history(tree)]


def test_what_follows_a_removed_migration_is_linked_to_what_precedes_it() -> None:
    """Removed migrations at both ends are no exception."""
    tree = tree_of(("0001", None), ("0002", "0001"), ("0003", "0002"), ("0004", "0003"))
    remove_migrations(tree, ["0001_x.py", "0003_x.py", "0009_none.py"])
    assert revisions(tree) == ["0002", "0004"]


def test_new_migrations_follow_the_head_with_free_numbers() -> None:
    """They keep their order, and those of the project stay as they are."""
    tree = tree_of(("0001", None), ("0002", "0001"), ("0003", "0002"))
    own = tree.copy()
    paths = append_migrations(tree, tree_of(("0003", "0002"), ("0002", "0001"), ("abc", "0003")))
    assert paths == [f"{FOLDER}/0004_x.py", f"{FOLDER}/0005_x.py", f"{FOLDER}/abc_x.py"]
    assert revisions(tree) == ["0001", "0002", "0003", "0004", "0005", "abc"]
    assert {path: tree[path] for path in own} == own


@pytest.mark.parametrize(
    "links", [[("0001", None), ("0002", "0001"), ("0003", "0001")], [("0001", None), ("0003", "0002")]]
)
def test_a_history_that_is_not_one_line_is_refused(links: list[tuple[str, str | None]]) -> None:
    """Two heads, or a gap."""
    with pytest.raises(ToolError, match="not one linear history"):
        history(tree_of(*links))


def test_an_undone_migration_is_repeated_by_a_downgrade() -> None:
    """The bodies change places."""
    tree = tree_of(("0001", None), ("0002", "0001"))
    path = undo_migration(tree, f"{FOLDER}/0001_x.py", "drop_x", "Drop x.")
    upgrade, _, downgrade = tree.text(path).partition("def downgrade")
    assert 'op.drop_table("0001")' in upgrade
    assert 'op.create_table("0001")' in downgrade
    assert upgrade.startswith('"""Drop x."""\n')
    assert revisions(tree) == ["0001", "0002", "0003"]
    assert next_revision(tree) == "0004"


def test_a_migration_is_found_by_the_whole_name_of_its_table() -> None:
    """`menu_items` is not `items`, and a dropped table has none."""
    tree = Tree()
    for name in ("0006_items", "0007_menu_items", "0008_drop_menu_items"):
        tree.write(f"{FOLDER}/{name}.py", "")
    assert find_migration(tree, "items") == f"{FOLDER}/0006_items.py"
    assert find_migration(tree, "menu_items") is None
    tree.write(f"{FOLDER}/0009_menu_items.py", "")
    assert find_migration(tree, "menu_items") == f"{FOLDER}/0009_menu_items.py"
    assert find_migration(tree, "s") is None
