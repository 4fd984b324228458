"""`make check`: all checks, the fastest first."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from devtools.copies import LINT

SEARCH_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

SCRIPTS = sorted(str(path.relative_to(PROJECT_ROOT)) for path in (PROJECT_ROOT / "deploy").rglob("*.sh"))
MANIFESTS = sorted(
    str(path.relative_to(PROJECT_ROOT))
    for path in (PROJECT_ROOT / "deploy" / "kubernetes").rglob("*.yaml")
    if path.name != "kustomization.yaml"
)
DEBIAN_PACKAGES = {"promtool": "prometheus"}
"""Tools that are not on the Python package index. .ci/run installs them; without them their steps are left out."""
STEPS: tuple[tuple[str, ...], ...] = (
    *LINT,
    ("python", "-m", "devtools.language"),
    ("zensical", "build", "--strict", "--clean"),
    ("shellcheck", ".ci/run", *SCRIPTS),
    ("hadolint", "Dockerfile"),
    ("check-jsonschema", "--builtin-schema=vendor.compose-spec", "docker-compose.yml"),
    ("check-jsonschema", "--builtin-schema=vendor.github-workflows", ".github/workflows/ci.yml"),
    ("check-jsonschema", "--builtin-schema=vendor.dependabot", ".github/dependabot.yml"),
    ("zizmor", "--offline", "--quiet", ".github"),
    ("caddy", "validate", "--config=deploy/caddy/Caddyfile", "--adapter=caddyfile"),
    ("kubernetes-validate", "--strict", *MANIFESTS),
    ("promtool", "check", "rules", "deploy/prometheus/alerts.yaml"),
    ("promtool", "test", "rules", "deploy/prometheus/alerts.test.yaml"),
    ("python", "-m", "devtools.requirements", "--check"),
    ("python", "-m", "devtools.installs"),
    ("python", "-m", "devtools.clients"),
    ("python", "-m", "devtools.fuzz", "--examples=2"),
    ("python", "-m", "devtools.fuzz_time"),
    ("python", "-m", "drills", "--quick"),
    ("python", "-m", "devtools.guide"),
    ("python", "-m", "devtools.features"),
    ("python", "-m", "devtools.made"),
    ("pytest", "--no-cov", "-m", "browser", "tests/browser"),
    ("make", "--no-print-directory", "test"),
)


def run(step: tuple[str, ...]) -> bool:
    """Run one step. Its output is shown only if it fails; tests show their progress."""
    package = DEBIAN_PACKAGES.get(step[0])
    if package and not shutil.which(step[0], path=SEARCH_PATH):
        print(f"left out          {' '.join(step)} (Debian: {package})", flush=True)
        return True
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
    """Run all steps, even if one fails."""
    failed = [step[0] for step in STEPS if not run(step)]
    if failed:
        print(f"make check: {', '.join(failed)} failed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
