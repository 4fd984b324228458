"""Only hosts that are ours: a forged Host header must not reach links, caches or logs."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.exceptions import InvalidHostError
from app.middleware.headers import read_header


class TrustedHostsMiddleware:
    """Refuses requests for other hosts."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        """Serve these hosts: names without ports, `*.example.com` for subdomains, `*` for all."""
        self.app = app
        self.names = {host.lower() for host in hosts}
        self.suffixes = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise InvalidHostError."""
        if scope["type"] == "http":
            host = without_port(read_header(scope, b"host"))
            if not (self.names & {host, "*"} or host.endswith(self.suffixes or ("\0",))):
                raise InvalidHostError
        await self.app(scope, receive, send)


def without_port(host: str) -> str:
    """Reduce a Host header (RFC 9110, section 7.2) to the name or the bracketed address."""
    name, separator, port = host.lower().rpartition(":")
    return name if separator and port.isdigit() else host.lower()
