"""Passwords that are refused because attackers try them first (NIST SP 800-63B-4, section 3.1.1.2).

The schema bounds the length; no rule requires digits or symbols.
"""

import re
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

SEQUENCES = ("1234567890" * 13, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
LOOKALIKES = str.maketrans("@$0!1345789", "asoiieastbg")
SHORTEST_WORD = 3
SHORTEST_REST = 8
"""Characters that must remain of a password when the words of its account are taken out."""
NOT_LETTERS_AT_THE_ENDS = re.compile(r"\A[^a-z]+|[^a-z]+\Z")


@cache
def common_passwords() -> frozenset[str]:
    """Return zxcvbn's 30,000 most common passwords; loaded at the first use.

    Only its file of words is executed: importing the package would take 9 MiB more.
    """
    package = find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("zxcvbn is not installed: see requirements/base.in")
    loader = SourceFileLoader("zxcvbn_words", str(Path(package.origin).with_name("frequency_lists.py")))
    words = ModuleType(loader.name)
    loader.exec_module(words)
    return frozenset(words.FREQUENCY_LISTS["passwords"])


def is_common(password: str) -> bool:
    """Return whether a password is common, also with look-alike characters and with digits or symbols around it.

    Repetitions (`abcabcabcabc`) and rows of keys are common, too. Case is ignored.
    """
    folded = password.casefold()
    repeats = folded in (folded + folded)[1:-1]
    in_a_row = any(folded in row for row in SEQUENCES)
    return repeats or in_a_row or not common_passwords().isdisjoint(_forms(folded))


def contains_own_words(password: str, *words: str | None) -> bool:
    """Return whether a password is little more than words of its account: the address, its parts, the person's name."""
    rest, found = password.casefold(), False
    for text in filter(None, words):
        for word in sorted({text.casefold(), *re.split(r"[^\w]+", text.casefold())}, key=len, reverse=True):
            if len(word) >= SHORTEST_WORD and word in rest:
                rest, found = rest.replace(word, ""), True
    return found and len(rest) < SHORTEST_REST


def _forms(folded: str) -> set[str]:
    core = NOT_LETTERS_AT_THE_ENDS.sub("", folded)
    plain = folded.translate(LOOKALIKES)
    return {folded, core, plain, NOT_LETTERS_AT_THE_ENDS.sub("", plain), core.translate(LOOKALIKES)} - {""}
