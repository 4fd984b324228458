"""Check a project: what is installed, what differs from the template, what would fail to start."""

import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from dayone.errors import ToolError
from dayone.migrations import history
from dayone.project import Checkout
from dayone.source import Template

TOOLS = {
    "make": "make run, make test and the other commands",
    "npm": "make check: the TypeScript client",
    "nginx": "tests and drills behind a proxy",
    "pgbouncer": "tests behind a connection pooler",
    "promtool": "make check: the alerts",
    "docker": "make image, docker compose",
}
REQUIRED = {"make"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    state: str
    is_failure: bool = False


def examine(checkout: Checkout, template: Template) -> Iterator[Finding]:
    """Yield what was found, the versions first."""
    recorded = checkout.project.version
    later = "" if recorded == template.version else f"; dayone {template.version} is installed: dayone update"
    yield Finding("template", f"{recorded}{later}")
    yield Finding("features", ", ".join(checkout.project.features) or "none")
    yield Finding("Python", platform.python_version())
    for tool, use in TOOLS.items():
        found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        yield Finding(tool, found or f"not installed: {use}", tool in REQUIRED and not found)
    yield from _differences(checkout)
    yield from _migrations(checkout)
    yield from _installation(checkout)


def _differences(checkout: Checkout) -> Iterator[Finding]:
    try:
        base = checkout.merged_revision()
    except ToolError as error:
        yield Finding("branch template", str(error), is_failure=True)
        return
    changed = checkout.repository.run("diff", "--name-only", base).splitlines()
    yield Finding("changed files", f"{len(changed)} since the template: dayone diff" if changed else "none")


def _migrations(checkout: Checkout) -> Iterator[Finding]:
    try:
        line = history(checkout.repository.files())
        yield Finding("migrations", f"{len(line)}, the last is {line[-1].revision}" if line else "none")
    except ToolError as error:
        yield Finding("migrations", str(error), is_failure=True)


def _installation(checkout: Checkout) -> Iterator[Finding]:
    """Check the settings with `python -m app settings`, and import the application."""
    python = checkout.folder / ".venv/bin/python"
    if not python.exists():
        yield Finding("installation", "not installed yet: make run")
        return
    done = subprocess.run(
        [python, "-m", "app", "settings"], cwd=checkout.folder, capture_output=True, text=True, check=False
    )
    reason = (done.stderr or done.stdout).strip().splitlines()
    yield Finding("settings", "valid" if done.returncode == 0 else "\n".join(reason[-5:]), done.returncode != 0)
    imported = subprocess.run(
        [python, "-c", "import app.main"], cwd=checkout.folder, capture_output=True, text=True, check=False
    )
    problem = imported.stderr.strip().splitlines()[-1:] or [""]
    yield Finding("application", "starts" if imported.returncode == 0 else problem[0], imported.returncode != 0)
