"""Limits on the size of a request: its head, its body, and the complexity of JSON and forms."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.exceptions import (
    BadRequestError,
    ContentTooLargeError,
    HeadersTooLargeError,
    ValidationFailedError,
)

MAXIMUM_HEAD_BYTES = 32_768
MAXIMUM_JSON_DEPTH = 32
MAXIMUM_JSON_TOKENS = 4_096
"""Strings, brackets and commas of a document: strings may be long, but parsing takes time for each value."""
MAXIMUM_COOKIES = 100
"""Cookies of one header, which FastAPI parses for every request."""
MAXIMUM_FORM_BYTES = 32_768
MAXIMUM_FORM_FIELDS = 20
JSON_TOKEN = re.compile(rb'"(?:[^"\\]++|(?:\\.)++)*+"?|[\[\]{},]', re.DOTALL)
"""A string that is not closed ends with the document. So a match never fails half-way, and scanning is linear."""
OTHER_CHARSET = re.compile(rb"charset\s*=(?!\s*\"?utf-8\"?\s*(;|$))")
MALFORMED_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
OPENING, CLOSING = b"[{", b"]}"
NOT_UTF_8 = (b"\xfe\xff", b"\xff\xfe")
"""The byte order marks of UTF-16 and UTF-32."""


class SizeLimitsMiddleware:
    """Refuses requests above the limits before they are read or parsed.

    FastAPI's `max_body_size` is not used, because it is outside all other middleware and responds in plain text,
    without a request id. Nor is the recursion limit of the parser, which depends on the version of Python.
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
        announced, content_type = b"0", b""
        head_bytes = len(scope["query_string"])
        for name, value in scope["headers"]:
            head_bytes += len(name) + len(value)
            if name == b"content-length":
                announced = value
            elif name == b"content-type":
                content_type = value
            elif name == b"cookie" and value.count(b";") >= MAXIMUM_COOKIES:
                raise HeadersTooLargeError
        if head_bytes > MAXIMUM_HEAD_BYTES:
            raise HeadersTooLargeError
        if announced.isdigit() and int(announced[:20]) > self.maximum_body_bytes:
            raise ContentTooLargeError
        await self.app(scope, BoundedBody(receive, self.maximum_body_bytes, content_type), send)


class BoundedBody:
    """Receives a body up to the limits."""

    def __init__(self, receive: Receive, maximum_bytes: int, content_type: bytes) -> None:
        """Wrap `receive`."""
        self._receive = receive
        self._content_type = content_type.lower()
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
        if b"json" in self._content_type:
            check_json(body)
        elif b"urlencoded" in self._content_type:
            check_form(body)
        elif b"multipart" in self._content_type and OTHER_CHARSET.search(self._content_type):
            # Python keeps each unknown encoding in a cache, and Starlette asks for the one that the header names.
            raise BadRequestError("A multipart form must be encoded in UTF-8.")


def check_json(body: bytes) -> None:
    """Raise BadRequestError or ValidationFailedError for JSON that must not reach the parser."""
    if is_not_utf_8(body):
        raise BadRequestError("JSON must be encoded in UTF-8 (RFC 8259, section 8.1).")
    if is_too_complex(body):
        levels, tokens = MAXIMUM_JSON_DEPTH, MAXIMUM_JSON_TOKENS
        raise ValidationFailedError(f"The JSON has more than {levels} levels or {tokens} strings, brackets and commas.")


def check_form(body: bytes) -> None:
    """Raise an error for a form that must not reach the parser: ContentTooLarge, ValidationFailed or BadRequest."""
    if len(body) > MAXIMUM_FORM_BYTES:
        raise ContentTooLargeError
    if body.count(b"&") >= MAXIMUM_FORM_FIELDS:
        raise ValidationFailedError(f"The form has more than {MAXIMUM_FORM_FIELDS} fields.")
    if MALFORMED_ESCAPE.search(body):
        raise BadRequestError("A % in a form must be followed by two hexadecimal digits: write % as %25.")


def is_not_utf_8(document: bytes) -> bool:
    """Return whether JSON is in UTF-16 or UTF-32, which Python's parser would accept."""
    return b"\0" in document[:4] or document.startswith(NOT_UTF_8)


def is_too_complex(document: bytes) -> bool:
    """Return whether JSON has more than `MAXIMUM_JSON_DEPTH` levels or `MAXIMUM_JSON_TOKENS` tokens.

    The parser reports other errors.
    """
    depth = 0
    for count, token in enumerate(JSON_TOKEN.finditer(document)):
        first = document[token.start()]
        if first in OPENING:
            depth += 1
        elif first in CLOSING:
            depth -= 1
        if count >= MAXIMUM_JSON_TOKENS or depth > MAXIMUM_JSON_DEPTH:
            return True
    return False
