"""Which passwords are refused: those that attackers try first. The schema bounds the length; nothing else is asked."""

from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("common_passwords.txt")
SEQUENCES = ("1234567890" * 13, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


@cache
def common_passwords() -> frozenset[str]:
    """Read the list once; its head names its sources and licences."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def is_common(password: str) -> bool:
    """Tell whether a password is on the list, one thing repeated, or a row of keys; case does not count."""
    folded = password.casefold()
    repeats = folded in (folded + folded)[1:-1]
    return repeats or folded in common_passwords() or any(folded in row for row in SEQUENCES)
