"""`make requirements`: compile requirements/*.in to pinned files with hashes, or check that they are up to date."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "requirements"
NAMES = ("dev", "test", "run", "prod", "base")
"""The first contains all others, which take their versions from it: all files are one resolution."""
UV = Path(sys.executable).with_name("uv")
WITH_EXTRA = re.compile(r"^([\w.-]+)\[[\w,-]+\](==\S+(?: ; .+?)?(?: \\\n {4}--hash=\S+)+)", re.MULTILINE)
"""A package that is pinned with an extra: it is pinned without one too, because old pips resolve the two separately."""
OPTIONS = (
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    # Without extras in the file, pip before 23.3 looks for the newest release of packages that are required with one.
    "--no-strip-extras",
    "--custom-compile-command=make requirements",
)


def compile_all(folder: Path, *options: str) -> None:
    """Compile in a folder; versions that are pinned there stay unless they must change."""
    for name in NAMES:
        command: list[str | Path] = [
            UV,
            "pip",
            "compile",
            *OPTIONS,
            *options,
            f"{name}.in",
            f"--output-file={name}.txt",
            *([] if name == NAMES[0] else [f"--constraint={NAMES[0]}.txt"]),
        ]
        subprocess.run(command, cwd=folder, check=True)
        output = folder / f"{name}.txt"
        output.write_text(WITH_EXTRA.sub(r"\1\2\n\g<0>", output.read_text()))


def stale() -> list[str]:
    """Return the files that compiling would change."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(FOLDER, Path(temporary) / "requirements"))
        compile_all(copy)
        files = [f"{name}.txt" for name in NAMES]
        return [file for file in files if (copy / file).read_bytes() != (FOLDER / file).read_bytes()]


def main() -> int:
    """Compile or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only print what is stale")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    arguments = parser.parse_args()
    if not arguments.check:
        compile_all(FOLDER, *(["--upgrade"] if arguments.upgrade else []))
        return 0
    files = stale()
    if files:
        print(f"Stale: {', '.join(files)}. Run `make requirements`.")
    return len(files)


if __name__ == "__main__":
    sys.exit(main())
