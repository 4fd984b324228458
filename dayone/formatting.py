"""Format the Python files of a tree with ruff."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it has no types

from dayone.errors import ToolError
from dayone.trees import Tree, read_files


def format_code(tree: Tree, *, only: set[str] | None = None) -> None:
    """Sort imports, remove unused ones and format, with the settings of the tree's own pyproject.toml."""
    paths = [path for path in tree if path.endswith(".py")]
    chosen = [path for path in paths if only is None or path in only]
    with TemporaryDirectory() as name:
        folder = Path(name)
        # All files, because the imports of the project are sorted apart from those of libraries.
        Tree({path: tree[path] for path in [*paths, "pyproject.toml"]}).save(folder)
        _ruff(folder, "check", "--fix", "--quiet", "--exit-zero", "--select=I,F401", *chosen)
        _ruff(folder, "format", "--quiet", *chosen)
        tree.update(read_files(folder, chosen))


def _ruff(folder: Path, *arguments: str) -> None:
    command = [find_ruff_bin(), *arguments, "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"The Python files cannot be formatted: {done.stderr.strip()}")
