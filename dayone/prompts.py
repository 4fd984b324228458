"""What `dayone new` asks."""

import re

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from dayone.errors import ToolError
from dayone.features import Feature, check_features, choices
from dayone.source import Template

console = Console(highlight=False, soft_wrap=True)


def check_options(added: list[str], removed: list[str], features: dict[str, Feature]) -> None:
    """Raise ToolError for unknown features, and for those that are both wanted and not."""
    check_features([*added, *removed], features)
    if both := set(added) & set(removed):
        raise ToolError(f"--with and --without both name {', '.join(sorted(both))}")


def ask_features(template: Template, features: dict[str, Feature], kept: set[str]) -> set[str]:
    """Show the features and ask which of them to have."""
    table = Table("feature", "what it is", "lines", "default", box=None)
    for name, feature in choices(features).items():
        texts = [template.tree[path].text or "" for owned in feature.paths for path in template.tree.below(owned)]
        lines = sum(len(text.splitlines()) for text in texts)
        table.add_row(name, feature.summary, str(lines), "yes" if name in kept else "no")
    console.print(table)
    question = "The features to have, separated by spaces, or `none`"
    answer = Prompt.ask(question, default=" ".join(sorted(kept)), console=console)
    wanted = set(re.findall(r"[^\s,]+", answer)) - {"none"}
    check_features(wanted, features)
    return wanted
