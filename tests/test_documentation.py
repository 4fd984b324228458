"""The documents agree with the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.core.exceptions import domain_errors
from app.db.database import Database
from devtools.loopback import free_port
from tests.processes import serving

README = (PROJECT_ROOT / "README.md").read_text()
ENV_EXAMPLE = (PROJECT_ROOT / ".env.example").read_text()
MAXIMUM_README_LINES = 150


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    """With its default, if that is a plain value."""
    described = dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE))
    assert described.keys() == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert float(described[name.upper()]) == field.default, name


@pytest.mark.parametrize("error", list(domain_errors()), ids=lambda error: error.__name__)
def test_every_error_code_is_documented(error: type) -> None:
    """With its status and its title."""
    row = f"| `{error.code}` | {error.status} | {error.title()} |"  # type: ignore[attr-defined]
    assert row in (PROJECT_ROOT / "docs" / "errors.md").read_text()


def test_every_target_of_the_makefile_has_a_line_of_help() -> None:
    """The README names existing targets only."""
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    phony = re.search(r"^\.PHONY: (.*)$", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert targets == set(phony[1].split())
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_the_readme_is_short() -> None:
    """Details belong in docs/."""
    assert len(README.splitlines()) < MAXIMUM_README_LINES


@pytest.mark.parametrize("page", [*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob("docs/**/*.md")], ids=lambda p: p.name)
def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    """Links between pages, and each `path/` in the text."""
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    named = re.findall(r"`((?:app|tests|docs|migrations|devtools|requirements)/[\w./-]+)(?:::\w+)?`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [path for path in named if not (PROJECT_ROOT / path).exists()]
    assert missing == []


def test_the_tour_of_the_readme_works(settings: Settings, database: Database, tmp_path: Path) -> None:
    """Its commands run against the production server."""
    del database
    [tour] = re.findall(r"```sh\n(# A tour.*?)```", README, re.DOTALL)
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    script = "set -euo pipefail\n" + tour.replace(":8000", f":{port}").replace("curl ", "curl --fail-with-body ")
    command = [sys.executable, "-m", "app", "serve"]
    with serving(command, port=port, cwd=tmp_path, environment=environment):
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ada Lovelace" in done.stdout
