"""Conditional requests (RFC 9110, section 13): entity tags are the versions of rows."""

import re

from app.core.exceptions import PreconditionRequiredError

STRONG_TAG = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,8})"')
"""As `entity_tag` writes it: `"01"` is another tag than `"1"`."""
ANY_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class NotModified(Exception):  # noqa: N818  no error: the client has what it asks for
    """The client's copy is the current one."""

    def __init__(self, tag: str) -> None:
        """Say which copy that is."""
        super().__init__(tag)
        self.tag = tag


def entity_tag(version: int) -> str:
    """Write the strong tag of a version."""
    return f'"{version}"'


def versions_to_change(if_match: str | None, *, required: bool) -> frozenset[int] | None:
    """Give the versions that may be changed (`If-Match`, compared strongly), or None for whichever there is.

    Raises PreconditionRequiredError where a condition is required and missing.
    """
    if if_match is None:
        if required:
            raise PreconditionRequiredError
        return None
    if if_match.strip() == "*":
        return None
    return frozenset(map(int, STRONG_TAG.findall(if_match)))


def check_fresh(if_none_match: str | None, version: int) -> None:
    """Raise NotModified when the client has this version (`If-None-Match`, compared weakly)."""
    if if_none_match is None:
        return
    if if_none_match.strip() == "*" or str(version) in ANY_TAG.findall(if_none_match):
        raise NotModified(entity_tag(version))
