"""Accept only known hosts: a forged Host header must not reach links, caches or logs."""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.exceptions import InvalidHostError


class TrustedHostsMiddleware:
    """Refuses requests for other hosts."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], *, addresses: bool = False) -> None:
        """Accept these hosts: names without ports, `*.example.com` for subdomains, `*` for all.

        With `addresses`, also any IP address: DNS rebinding needs a name.
        """
        self.app = app
        self.addresses = addresses
        self.names = {host.lower() for host in hosts}
        self.suffixes = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise InvalidHostError."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"host"]
            host = without_port(given[0].decode("latin-1")) if given else ""
            is_served = self.names & {host, "*"} or host.endswith(self.suffixes or ("\0",))
            # RFC 9112, section 3.2: a second Host header is refused, because another server may use the other one.
            if not (is_served or (self.addresses and is_address(host))) or len(given) > 1:
                raise InvalidHostError
        await self.app(scope, receive, send)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def without_port(host: str) -> str:
    """Return the name or the bracketed address of a Host header (RFC 9110, section 7.2)."""
    name, separator, port = host.lower().rpartition(":")
    return name if separator and port.isascii() and port.isdigit() else host.lower()
