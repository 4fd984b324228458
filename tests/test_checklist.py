"""The checklist names existing tests."""

import re

import pytest

from app.core.database_url import PROJECT_ROOT


@pytest.mark.parametrize(
    "name", re.findall(r"`([\w/.]+\.py)::(\w+)`", (PROJECT_ROOT / "docs/checklist.md").read_text())
)
def test_every_proof_in_the_checklist_exists(name: tuple[str, str]) -> None:
    """The file has a test of that name."""
    path, test = name
    assert f"def {test}(" in (PROJECT_ROOT / path).read_text()
