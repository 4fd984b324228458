"""Headers as ASGI carries them: pairs of bytes, names in lower case. Starlette's classes take ten times the CPU."""

from collections.abc import Mapping

from starlette.types import Scope

RawHeaders = list[tuple[bytes, bytes]]


def read_header(scope: Scope, name: bytes) -> str:
    """Give the first header of this name, in lower case, or an empty text."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Write headers for an answer."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
