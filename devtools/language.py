"""Find words that this project avoids, and public docstrings whose first line is no summary.

CONTRIBUTING.md says how code and prose read; this check finds only what a search can find.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app.core.database_url import PROJECT_ROOT

AVOIDED = {
    r"at[ _]once": "immediately, or concurrently",
    r"(is|are|was|were) away|away at": "unavailable",
    r"anew": "again",
    r"befall": "happen to",
    r"beside": "with, or compared with",
    r"faults?|faulty": "error, failure",
    r"mend(s|ed)?": "fix",
    r"of (its|their|our|one's) own": "separate",
    r"somebody|nobody(?!@)|whoever|whatever": "the subject",
    r"tells?|told": "says, returns, notifies",
}
WORDS = {
    re.compile(rf"(?<![A-Za-z0-9-])(?:{words})(?![A-Za-z0-9-])", re.IGNORECASE): instead
    for words, instead in AVOIDED.items()
}
SUFFIXES = {".py", ".md", ".sh", ".yaml", ".yml", ".toml", ".in", ".txt", ".html", ".subject", ".example", ""}
EXCEPTIONS = {
    "devtools/language.py",  # These two contain the words.
    "LICENSE",
    "tests/devtools/test_language.py",
}
USER_NOBODY = re.compile(r"[`\"/]nobody[`\":]")
"""The operating system's unprivileged user."""
FRAGMENT = re.compile(r"(And|Or|But|Nor|Also|Which is|That|So that|Because|Though|Although)\b")


def documents() -> Iterator[Path]:
    """Yield the files that git tracks and people read."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = PROJECT_ROOT / name
        is_generated = name.startswith("requirements/") and path.suffix == ".txt"
        if path.suffix in SUFFIXES and name not in EXCEPTIONS and not is_generated and path.is_file():
            yield path


def avoided_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the remedy of each avoided word."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead in WORDS.items():
            found = pattern.search(USER_NOBODY.sub("", line))
            if found:
                yield number, f"{found[0]!r}: write {instead}"


def poor_summaries(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number of each docstring that does not begin with a summary: a sentence that stands alone."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            summary = (ast.get_docstring(node) or "").partition("\n")[0]
            if FRAGMENT.match(summary):
                yield node.body[0].lineno, f"no summary: {summary!r}"


def main() -> int:
    """Print all findings; return whether there is one."""
    found = 0
    for path in documents():
        text = path.read_text()
        findings = [*avoided_words(text), *(poor_summaries(text) if path.suffix == ".py" else [])]
        for number, finding in findings:
            print(f"{path.relative_to(PROJECT_ROOT)}:{number}: {finding}")
        found += len(findings)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
