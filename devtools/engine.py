"""The container engine: Docker, or podman with a stand-in for the base image."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

BASE = "docker.io/library/python:3.13-slim"


SUITE = "trixie"
"""The Debian release with the Python of the base image."""


STORAGE = PROJECT_ROOT / "var" / "containers"


LEFTOVERS = (
    "usr/lib/python3*/EXTERNALLY-MANAGED",
    "usr/lib/python3*/**/__pycache__",
    "var/log/*",
    "var/lib/apt/lists/*",
    "var/cache/apt/*",
)


class Engine:
    """Docker if its engine responds, otherwise podman with a separate storage."""

    def __init__(self) -> None:
        """Choose."""
        self.is_docker = shutil.which("docker") is not None and self._answers("docker", "info")
        self.options: tuple[str, ...] = ()
        if not self.is_docker:
            if shutil.which("podman") is None:
                sys.exit("Neither a Docker engine nor podman (Debian: podman crun debootstrap) is here.")
            places = ("--root", str(STORAGE / "storage"), "--runroot", str(STORAGE / "run"))
            self.options = (*places, "--cgroup-manager=cgroupfs", "--events-backend=none", "--log-level=fatal")

    @staticmethod
    def _answers(*command: str) -> bool:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """Write the command line."""
        return ["docker" if self.is_docker else "podman", *self.options, *arguments]

    def run(self, *arguments: str | Path) -> str:
        """Run a command and return its output."""
        done = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        """Return whether an image is available locally, or could be pulled."""
        return self._answers(*map(str, self.command("image", "inspect", image))) or self._answers(
            *map(str, self.command("pull", "--quiet", image))
        )


def make_base(engine: Engine) -> None:
    """Make a stand-in for the base image: a minimal Debian with its Python and pip."""
    mirror = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[0]
    packages = "--include=python3,python3-venv,python3-pip,python-is-python3,ca-certificates"
    with tempfile.TemporaryDirectory(prefix="base-") as folder:
        root = Path(folder) / "root"
        subprocess.run(["debootstrap", "--variant=minbase", packages, SUITE, root, mirror], check=True, stdout=2)
        (root / "etc/apt/sources.list").write_text("")
        for leftover in [path for pattern in LEFTOVERS for path in root.glob(pattern)]:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        archive = Path(folder) / "root.tar"
        subprocess.run(["tar", "-C", root, "-cf", archive, "--numeric-owner", "--exclude=./dev/*", "."], check=True)
        engine.run(
            "import", "--change", "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", archive, BASE
        )
