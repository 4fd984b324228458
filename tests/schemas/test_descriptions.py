"""Fields are described where pydantic finds it."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.database_url import PROJECT_ROOT

SCHEMAS = sorted((PROJECT_ROOT / "app/schemas").glob("*.py"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_no_field_has_a_docstring(path: Path) -> None:
    """The OpenAPI document would not have it."""
    classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    pairs = [pair for node in classes for pair in pairwise(node.body)]
    assert not [
        first.target.id
        for first, second in pairs
        if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name) and isinstance(second, ast.Expr)
    ]
