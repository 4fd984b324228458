"""Settings of HTTP: addresses, hosts, origins and limits."""

import re
import socket
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from app.core.settings.process import ProcessSettings, Seconds, StringList, is_deployed, is_production

PRIVATE_NETWORKS = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def at_midnight(value: object) -> object:
    """Return midnight UTC for a date."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and DATE.fullmatch(value) else value


def check_network(network: str) -> None:
    """Raise ValueError unless it is an address or a network, and not all addresses."""
    if ip_network(network).prefixlen == 0:
        raise ValueError(f"must not be every address: {network}")


def check_web_address(url: str, info: ValidationInfo) -> None:
    """Raise ValueError unless it is an http(s) URL without query and fragment, and an https URL in production."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://api.example.com")
    if parts.scheme == "http" and is_production(info):
        raise ValueError("must begin with https:// in production")


Moment = Annotated[AwareDatetime, BeforeValidator(at_midnight)]


class HttpSettings(ProcessSettings):
    """Addresses, hosts, origins and limits."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The port to listen on."""
    web_concurrency: int = Field(default=1, ge=1, le=256)
    """Worker processes; (2 x cores) + 1 is a starting point in production."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose X-Forwarded-* headers are trusted: addresses and networks."""
    public_url: str = ""
    """The URL of the service for clients; also the issuer of its tokens. Unset outside production: http://localhost and
    PORT."""
    frontend_url: str | None = None
    """The URL of the pages that links in mails lead to; unset: PUBLIC_URL."""
    allowed_hosts: StringList = ()
    """Accepted Host headers; unset: the host of PUBLIC_URL and the loopback names."""
    allowed_origins: StringList = ()
    """Browser origins that may call the API (CORS), also with the session cookie; HTTPS in production."""
    admin_pages: Literal["on", "off", "only"] = "on"
    """Whether the process serves the administration below /admin; `only`: nothing else but probes and metrics."""
    require_if_match: bool = False
    """Whether changing and deleting a versioned resource requires If-Match; 428 without it."""
    api_v1_sunset: Moment | None = None
    """When version 1 ends (ISO 8601, a date or a time); operations with a successor in version 2 announce it."""
    api_v1_deprecated: Moment | None = None
    """When version 1 was deprecated; unset: half a year before API_V1_SUNSET."""
    redis_url: SecretStr | None = None
    """The redis:// URL of a Redis or Valkey that shares rate limits; unset: each process counts by itself."""
    redis_timeout_seconds: Seconds = 0.2
    """Timeout for Redis; then the process counts by itself."""
    rate_limit_enabled: bool = True
    """Whether rate limits are on."""
    rate_limit_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    """Requests of one caller (an account or an address) in a minute; then 429. Some operations have tighter limits."""
    metrics_allow_ips: StringList = PRIVATE_NETWORKS
    """Addresses and networks that may read /metrics; others get 404."""
    request_timeout_seconds: Seconds = 10.0
    """Timeout for a response; then 504."""
    receive_timeout_seconds: Seconds = 10.0
    """Timeout for receiving the head of a request, and for its body; then 408."""
    max_concurrent_requests: int = Field(default=256, ge=1, le=100_000)
    """Requests that a process serves concurrently; more get 503."""
    max_body_bytes: int = Field(default=1_048_576, ge=1024, le=1_073_741_824)
    """The largest request body."""
    shutdown_timeout_seconds: int = Field(default=30, ge=2, le=3600)
    """Timeout for stopping after SIGTERM, including the drain."""
    shutdown_drain_seconds: int = Field(default=5, ge=0, le=10)
    """How long a stopping process is not ready and still serves; longer than load balancers take to notice."""
    recycle_after_requests: int = Field(default=200_000, ge=0, le=1_000_000_000)
    """Requests after which a worker process is replaced, approximately; 0: never."""

    @property
    def is_https_only(self) -> bool:
        """Whether responses require browsers to use HTTPS only."""
        return self.public_url.startswith("https:")

    @property
    def link_base(self) -> str:
        """Return the beginning of the links in mails."""
        return (self.frontend_url or self.public_url).rstrip("/")

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """Return the accepted hosts, without ports."""
        public = urlsplit(self.public_url).hostname or "localhost"
        own = (socket.gethostname(), f"{socket.gethostname()}.local") if self.is_development else ()
        return self.allowed_hosts or (public, "localhost", "127.0.0.1", "[::1]", *own)

    def shows_metrics_to(self, address: str | None) -> bool:
        """Return whether this address may read the metrics; false for what is not an address."""
        try:
            client = ip_address(address or "")
        except ValueError:
            return False
        client = getattr(client, "ipv4_mapped", None) or client
        return any(client in ip_network(network) for network in self.metrics_allow_ips)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str, info: ValidationInfo) -> str:
        if not value and is_production(info):
            raise ValueError("must be set: the address that clients use")
        url = value or f"http://localhost:{info.data.get('port', 8000)}"
        check_web_address(url, info)
        return url

    @field_validator("frontend_url")
    @classmethod
    def _check_frontend_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            check_web_address(value, info)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            is_origin = (
                parts.scheme in ("http", "https") and parts.netloc and origin == f"{parts.scheme}://{parts.netloc}"
            )
            if not is_origin and origin != "*":
                raise ValueError(f"must be origins such as https://app.example.com, without a path: {origin}")
            if parts.scheme == "http" and is_production(info):
                raise ValueError(f"must begin with https:// in production: {origin}")
        return value

    @field_validator("metrics_allow_ips")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for network in value:
            (check_network if is_production(info) else ip_network)(network)
        return value

    @field_validator("rate_limit_enabled")
    @classmethod
    def _check_limits(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and is_production(info):
            raise ValueError("must be on in production")
        return value

    @field_validator("shutdown_drain_seconds")
    @classmethod
    def _leave_time_to_finish(cls, value: int, info: ValidationInfo) -> int:
        if value + 2 > info.data.get("shutdown_timeout_seconds", 3600):
            raise ValueError("must be at least 2 less than SHUTDOWN_TIMEOUT_SECONDS")
        return value

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _refuse_to_trust_everyone(cls, value: str, info: ValidationInfo) -> str:
        if "*" in value and is_deployed(info):
            raise ValueError("must name the proxies: with the wildcard * every client chooses its own address")
        for proxy in value.split(",") if is_production(info) else ():
            if "/" in proxy:
                check_network(proxy.strip())
        return value

    @field_validator("allowed_hosts", "allowed_origins")
    @classmethod
    def _refuse_wildcards(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "*" in value and is_deployed(info):
            raise ValueError("must not be the wildcard * outside development")
        return value
