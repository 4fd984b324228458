"""Bounds on the size of a request: its head, its body, and how deep its JSON is nested."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import (
    BadRequestError,
    ContentTooLargeError,
    HeadersTooLargeError,
    ValidationFailedError,
)
from app.middleware.headers import read_header

MAXIMUM_HEAD_BYTES = 32_768
MAXIMUM_JSON_DEPTH = 32
JSON_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)
"""A string, or the rest of a document where a string is not closed: a match never fails, so that scanning is linear."""
ALIKE = bytes.maketrans(b"{}", b"[]")
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
NOT_UTF_8 = (b"\xfe\xff", b"\xff\xfe")
"""The byte order marks of UTF-16 and UTF-32."""


class SizeLimitsMiddleware:
    """Refuses what is larger before it is read or parsed.

    Not FastAPI's `max_body_size`: that one stands outside all other middleware and answers in plain text, without a
    request id. And not the parser's recursion limit, which depends on the version of Python.
    """

    def __init__(self, app: ASGIApp, maximum_body_bytes: int) -> None:
        """Accept bodies up to `maximum_body_bytes`."""
        self.app = app
        self.maximum_body_bytes = maximum_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise HeadersTooLargeError or ContentTooLargeError."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = b"0"
        head_bytes = len(scope["query_string"])
        for name, value in scope["headers"]:
            head_bytes += len(name) + len(value)
            if name == b"content-length":
                announced = value
        if head_bytes > MAXIMUM_HEAD_BYTES:
            raise HeadersTooLargeError
        if announced.isdigit() and int(announced[:20]) > self.maximum_body_bytes:
            raise ContentTooLargeError
        is_json = "json" in read_header(scope, b"content-type")
        await self.app(scope, BoundedBody(receive, self.maximum_body_bytes, is_json=is_json), send)


class BoundedBody:
    """Receives a body up to its bounds."""

    def __init__(self, receive: Receive, maximum_bytes: int, *, is_json: bool) -> None:
        """Pass on what the server receives."""
        self._receive = receive
        self._is_json = is_json
        self._maximum_bytes = maximum_bytes
        self._chunks: list[bytes] = []
        self._received = 0

    async def __call__(self) -> Message:
        """Receive, or raise ContentTooLargeError, BadRequestError or ValidationFailedError."""
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self._received += len(chunk)
            if self._received > self._maximum_bytes:
                raise ContentTooLargeError
            self._chunks.append(chunk)
            if not message.get("more_body", False):
                self._check(b"".join(self._chunks))
        return message

    def _check(self, body: bytes) -> None:
        if self._is_json and is_not_utf_8(body):
            raise BadRequestError("JSON must be encoded in UTF-8 (RFC 8259, section 8.1).")
        if is_nested_too_deep(body):
            raise ValidationFailedError


def is_not_utf_8(document: bytes) -> bool:
    """Tell whether JSON is in UTF-16 or UTF-32, which Python's parser would accept."""
    return b"\0" in document[:4] or document.startswith(NOT_UTF_8)


def is_nested_too_deep(document: bytes) -> bool:
    """Tell whether JSON has more than `MAXIMUM_JSON_DEPTH` levels, or brackets that do not match."""
    if document.count(b"[") + document.count(b"{") <= MAXIMUM_JSON_DEPTH:
        return False
    if not document.lstrip().startswith((b"[", b"{")):  # a form
        return False
    brackets = JSON_STRING.sub(b"", document).translate(ALIKE, NOT_BRACKETS)
    for _ in range(MAXIMUM_JSON_DEPTH):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
