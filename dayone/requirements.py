"""Remove packages from requirements/*.in and *.txt, as compiling them again would."""

import re

from dayone.trees import Tree

ENTRY = re.compile(
    r"^([A-Za-z0-9][\w.-]*)(\[[^]]*\])?==.*\n(?:    --hash=.*\n)*(?:    # via.*\n(?:    #   .*\n)*)?", re.MULTILINE
)
LEVELS = ("run", "test", "dev", "base", "prod")


def remove_requirements(tree: Tree, requirements: dict[str, list[str]]) -> None:
    """Remove direct requirements from the given files, and what only they need from the compiled ones."""
    for name, packages in requirements.items():
        lines = tree.text(f"{name}.in").splitlines(keepends=True)
        tree.write(f"{name}.in", "".join(_without(lines, set(packages))))
    if requirements:
        for level in LEVELS:
            direct = {f"-r {name.partition('/')[2]}.in": packages for name, packages in requirements.items()}
            path = f"requirements/{level}.txt"
            tree.write(path, _prune(tree.text(path), direct))


def _without(lines: list[str], packages: set[str]) -> list[str]:
    """Remove the packages, and a comment that stands above nothing else."""
    kept: list[str] = []
    for line in lines:
        if line.strip() in packages:
            continue
        if line.startswith("#") and kept and kept[-1].startswith("#"):
            kept.pop()
        kept.append(line)
    if kept and kept[-1].startswith("#"):
        kept.pop()
    return kept


def _prune(text: str, direct: dict[str, list[str]]) -> str:
    """Remove entries that nothing needs any more, and their names from the reasons of others."""
    gone = {(source, package) for source, packages in direct.items() for package in packages}
    while True:
        entries = [(match[0], match[1], _reasons(match[0])) for match in ENTRY.finditer(text)]
        removed = set()
        for entry, package, reasons in entries:
            kept = [reason for reason in reasons if (reason, package) not in gone and (reason, "*") not in gone]
            if reasons and all(reason.startswith("-c ") for reason in kept):
                removed.add((package, "*"))
                text = text.replace(entry, "")
            elif kept != reasons:
                text = text.replace(entry, _with_reasons(entry, kept))
        if removed <= gone:
            return text
        gone |= removed


def _reasons(entry: str) -> list[str]:
    """Return what needs a package: other packages, and files."""
    return re.findall(r"^    # (?:via |  )(\S.*)$", entry, re.MULTILINE)


def _with_reasons(entry: str, reasons: list[str]) -> str:
    head = entry[: entry.index("    # via")]
    if len(reasons) == 1:
        return f"{head}    # via {reasons[0]}\n"
    return head + "    # via\n" + "".join(f"    #   {reason}\n" for reason in reasons)
