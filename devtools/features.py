"""Remove features of the template, each in a separate project, and check what is left.

In `make check`: each feature alone, with the static checks and the tests that it could touch; then the smallest
project, with all its tests. `--all` (`make removal-drill`): each feature alone and every pair that shares a file, with
all tests.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from dayone.features import Feature, choices, load_features
from dayone.names import Names
from dayone.new import make_project
from dayone.render import Project
from dayone.source import load_template
from devtools.copies import LINT, run_in

STATIC = (*LINT, ("zensical", "build", "--strict", "--clean"))
COMPILED = ("python", "-m", "devtools.requirements", "--check")
TOUCHED = (
    "tests/api/test_access_levels.py",
    "tests/api/test_metrics.py",
    "tests/api/test_openapi.py",
    "tests/core/test_config.py",
    "tests/pages",
    "tests/test_cli.py",
    "tests/test_documentation.py",
    "tests/test_imports.py",
    # It takes as long as all others; the smallest project takes the tour.
    "--deselect=tests/test_documentation.py::test_the_tour_of_the_readme_works",
)
Removal = tuple[str, ...]
TEMPLATE = load_template()
FEATURES = load_features(TEMPLATE.tree)


def removals(features: dict[str, Feature]) -> Iterator[Removal]:
    """Yield each feature alone, then every pair that shares a file."""
    yield from ((name,) for name in features)
    for first, second in combinations(features.values(), 2):
        if first.edited_files() & second.edited_files():
            yield first.name, second.name


class Trial:
    """A project without some features."""

    def __init__(self, folder: Path, without: Removal) -> None:
        self.without = without
        self.folder = folder / "-".join(["without", *without])[:40].rstrip("-")
        names = Names(self.folder.name, "Trial")
        kept = tuple(name for name in choices(FEATURES) if name not in without)
        make_project(TEMPLATE, self.folder, Project(names, TEMPLATE.version, kept))
        (self.folder / ".venv").symlink_to(PROJECT_ROOT / ".venv")
        if (PROJECT_ROOT / ".mypy_cache").exists():  # It takes mypy from nine seconds to one.
            shutil.copytree(PROJECT_ROOT / ".mypy_cache", self.folder / ".mypy_cache")

    def run(self, *command: str) -> str | None:
        """Run a command; return its output if it fails."""
        done = run_in(self.folder, self.folder / ".venv" / "bin", *command)
        return f"{' '.join(command)}\n{done.stdout}" if done.returncode else None

    def check(self, *tests: str) -> str | None:
        """Run the static checks and tests; return the first failure."""
        pytest = ("python", "-m", "pytest", "--no-cov", "-m", "not soak", "-p", "no:cacheprovider", *tests)
        has_requirements = any(FEATURES[name].requirements for name in self.without)
        for command in (*STATIC, *((COMPILED,) if has_requirements else ()), pytest):
            failure = self.run(*command)
            if failure:
                return failure
        return None


def try_removal(folder: Path, without: Removal, tests: tuple[str, ...]) -> bool:
    """Check one project, delete it, and print the result."""
    started = time.monotonic()
    trial = Trial(folder, without)
    failure = trial.check(*[test for test in tests if not test.startswith("tests/") or (trial.folder / test).exists()])
    shutil.rmtree(trial.folder)
    print(
        f"{'FAILED' if failure else 'ok    '} {time.monotonic() - started:6.1f} s  without {', '.join(without)}",
        flush=True,
    )
    if failure:
        print(failure, flush=True)
    return failure is None


def main() -> int:
    """Try the removals, two at a time; return the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="pairs, too, and all tests each time")
    arguments = parser.parse_args()
    unmatched = [f"{name}: {text}" for name, feature in FEATURES.items() for text in feature.unmatched(TEMPLATE.tree)]
    if unmatched:
        print("Not in the template:", *unmatched, sep="\n")
        return len(unmatched)
    features = choices(FEATURES)
    wanted = list(removals(features)) if arguments.all else [(name,) for name in features]
    tests = ("-n", "2") if arguments.all else TOUCHED
    with tempfile.TemporaryDirectory(prefix="features-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        folder.chmod(0o755)  # As root PostgreSQL runs as another user.
        results = list(pool.map(lambda without: try_removal(folder, without, tests), wanted))
        results.append(try_removal(folder, tuple(features), ("-n", "2")))
    return results.count(False)


if __name__ == "__main__":
    sys.exit(main())
