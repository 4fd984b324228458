"""Headers as ASGI carries them, and the security headers of every response."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]
"""Pairs of bytes, names in lower case. Starlette's classes take ten times the CPU."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
ONE_YEAR_OF_HTTPS = "max-age=31536000; includeSubDomains"
NOT_STORED = (b"cache-control", b"no-store")
VARIES = (b"vary", b"Authorization, Cookie")


def read_header(scope: Scope, name: bytes) -> str:
    """Return the first header of this name (in lower case), or an empty string."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Return headers as pairs of bytes."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def names_caller(scope: Scope) -> bool:
    """Return whether a request has a token, or a cookie whose name ends as that of a session."""
    return bool(read_header(scope, b"authorization")) or "session=" in read_header(scope, b"cookie")


class SecurityHeadersMiddleware:
    """Adds the security headers to every response, and `Cache-Control: no-store` where it is about a caller."""

    def __init__(self, app: ASGIApp, *, https_only: bool) -> None:
        """Wrap the application; `https_only` adds HSTS for a year."""
        self.app = app
        headers = {**HEADERS, "Strict-Transport-Security": ONE_YEAR_OF_HTTPS} if https_only else HEADERS
        self.headers = encode_headers({**headers, "Content-Security-Policy": API_POLICY})
        # Pages send `Origin` with their forms, which `no-referrer` would make null.
        self.page_headers = encode_headers({**headers, "Referrer-Policy": "same-origin"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Responses to other methods are not cached anyway, but RFC 6749, section 5.1 requires the header for tokens.
        is_private = scope["method"] not in ("GET", "HEAD") or names_caller(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy: str | None = scope["state"].get("content_policy")
                message["headers"] += self.headers if policy is None else self._headers_of_page(policy)
                if is_private or policy is not None:
                    message["headers"].append(NOT_STORED)
                if "varies_by_caller" in scope["state"]:
                    message["headers"].append(VARIES)
                if "renewed_cookie" in scope["state"]:
                    message["headers"].append((b"set-cookie", scope["state"]["renewed_cookie"]))
            await send(message)

        await self.app(scope, receive, send_guarded)

    def _headers_of_page(self, policy: str) -> RawHeaders:
        return [*self.page_headers, (b"content-security-policy", policy.encode())]
