"""`make dist`: build the wheel of the tool, which contains the tracked files of this repository as its template."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from dayone.source import BUNDLE, load_template
from dayone.trees import Tree, pack

DIST = PROJECT_ROOT / "dist"


def build(target: Path) -> Path:
    """Build the wheel in a folder; return its path."""
    tree = load_template().tree
    package = Tree({path: tree[path] for path in tree.below("dayone")})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package.save(folder)
        (folder / "dayone" / BUNDLE.name).write_bytes(pack(tree))
        shutil.move(folder / "dayone" / "pyproject.toml", folder / "pyproject.toml")
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    [wheel] = target.glob("dayone-*.whl")
    return wheel


if __name__ == "__main__":
    shutil.rmtree(DIST, ignore_errors=True)
    print(build(DIST).relative_to(PROJECT_ROOT))
