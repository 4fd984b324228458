"""Check that requirements/*.txt install with the oldest supported pip, regardless of later releases.

The pip is the one of Python 3.11.0. Every pinned package gets a fake newer release in a local folder, like a later
release on the package index.
"""

import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

OLDEST_PIP = "22.3"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", re.MULTILINE)
FAKE_VERSION = "99999.0"
REQUIREMENTS = PROJECT_ROOT / "requirements"


def write_newer_release(folder: Path, name: str) -> None:
    """Write an empty wheel with a version above all releases."""
    distribution = re.sub(r"[-.]+", "_", name)
    information = f"{distribution}-{FAKE_VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{distribution}-{FAKE_VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {FAKE_VERSION}\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")


def resolves(python: Path, requirements: Path, releases: Path) -> bool:
    """Return whether pip resolves a file with its hashes; nothing is installed."""
    command: list[str | Path] = [python, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", f"--find-links={releases}", "--requirement", requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{requirements.name} does not install with pip {OLDEST_PIP}:\n{done.stderr}")
    return done.returncode == 0


def main() -> int:
    """Check every file; exit with 1 if one does not install."""
    files = sorted(REQUIREMENTS.glob("*.txt"))
    with tempfile.TemporaryDirectory() as temporary:
        environment, releases = Path(temporary) / "venv", Path(temporary) / "releases"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"pip=={OLDEST_PIP}"], check=True)
        releases.mkdir()
        for name in {name for file in files for name in PINNED.findall(file.read_text())}:
            write_newer_release(releases, name)
        results = [resolves(python, file, releases) for file in files]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
