"""Refuse files of 200 and more lines, and functions of 25 and more lines of code, in every directory.

Blank lines, comments and docstrings are not lines of code.
"""

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

MOST_LINES, MOST_CODE = 199, 24
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
NOT_OURS = {"var", "node_modules"}
GENERATED = PROJECT_ROOT / "migrations" / "versions"
"""Alembic writes a revision as one list of declarations, however long."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SKIPPED:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def lines_of(node: ast.stmt) -> set[int]:
    """Return the numbers of all lines of a statement."""
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield each function with its number of lines of code, without decorators and inner functions."""
    code = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            own = lines_of(node) & code
            for inner in ast.walk(node):
                if inner is not node and isinstance(inner, Function | ast.ClassDef):
                    own -= lines_of(inner)
            if ast.get_docstring(node):
                own -= lines_of(node.body[0])
            yield node.name, len(own)


def files() -> Iterator[Path]:
    """Yield the Python files of the project."""
    yield from sorted(PROJECT_ROOT.glob("*.py"))
    for folder in sorted(PROJECT_ROOT.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in NOT_OURS:
            yield from sorted(folder.rglob("*.py"))


def violations(path: Path) -> Iterator[str]:
    """Yield the violations of a file."""
    source = path.read_text()
    length = len(source.splitlines())
    if length > MOST_LINES:
        yield f"{length} lines"
    if path.parent == GENERATED:
        return
    for name, length in functions(source):
        if length > MOST_CODE:
            yield f"{name}: {length} lines of code"


def main() -> int:
    """Print all violations; return whether there is one."""
    found = 0
    for path in files():
        for violation in violations(path):
            found += 1
            print(f"{path.relative_to(PROJECT_ROOT)}: {violation}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
