"""`make check`: everything that must hold, in the order that fails fastest."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

SEARCH_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
SOURCES = ("app", "benchmarks", "devtools", "drills", "migrations", "tests", "gunicorn.conf.py")
COMPOSE_SCHEMA = "--builtin-schema=vendor.compose-spec"
STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "--quiet", *SOURCES),
    ("ruff", "check", "--quiet", *SOURCES),
    ("mypy",),
    ("lint-imports", "--no-logo"),
    ("deptry", "."),
    ("shellcheck", ".ci/run"),
    ("hadolint", "Dockerfile"),
    ("check-jsonschema", COMPOSE_SCHEMA, "docker-compose.yml"),
    ("python", "-m", "devtools.requirements", "--check"),
    ("python", "-m", "devtools.clients"),
    ("python", "-m", "devtools.fuzz", "--examples=2"),
    ("python", "-m", "drills", "--quick"),
    ("make", "--no-print-directory", "test"),
)


def run(step: tuple[str, ...]) -> bool:
    """Run one step; its output is shown only when it fails, but for the tests, which show their progress."""
    started = time.monotonic()
    is_quiet = step[0] != "make"
    done = subprocess.run(
        [shutil.which(step[0], path=SEARCH_PATH) or step[0], *step[1:]],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE if is_quiet else None,
        stderr=subprocess.STDOUT if is_quiet else None,
        check=False,
    )
    verdict = "ok    " if done.returncode == 0 else "FAILED"
    print(f"{verdict} {time.monotonic() - started:6.1f} s  {' '.join(step)}", flush=True)
    if done.returncode and done.stdout:
        print(done.stdout.decode(errors="replace"), flush=True)
    return done.returncode == 0


def main() -> int:
    """Run every step, so that one run shows all that is wrong."""
    failed = [step[0] for step in STEPS if not run(step)]
    if failed:
        print(f"make check: {', '.join(failed)} failed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
