"""HTTP: where it is served, to whom, and how much of it."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationInfo, field_validator

from app.core.settings.process import ProcessSettings, Seconds, StringList, is_deployed

PRIVATE_NETWORKS = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


class HttpSettings(ProcessSettings):
    """Addresses, hosts, origins and limits."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """The port to listen on."""
    web_concurrency: int = Field(default=1, ge=1, le=256)
    """Worker processes; (2 x cores) + 1 is a starting point in production."""
    forwarded_allow_ips: str = "127.0.0.1"
    """Proxies whose X-Forwarded-* headers are believed: addresses and networks."""
    public_url: str = "http://localhost:8000"
    """The address under which clients reach the service; also the issuer of its tokens."""
    allowed_hosts: StringList = ()
    """Host headers that are served; unset: the host of PUBLIC_URL and the loopback names."""
    allowed_origins: StringList = ()
    """Browser origins that may call the API (CORS)."""
    require_if_match: bool = False
    """Whether changing and deleting items must name a version: 428 without If-Match."""
    api_v1_sunset: AwareDatetime | None = None
    """When version 1 will go (ISO 8601); answers that have a successor in version 2 say so."""
    api_v1_deprecated: AwareDatetime | None = None
    """Since when version 1 is deprecated; unset: half a year before API_V1_SUNSET."""
    redis_url: SecretStr | None = None
    """redis:// of a Redis or Valkey that all processes count rate limits in; unset: each counts for itself."""
    redis_timeout_seconds: Seconds = 0.2
    """The longest wait for it; then a process counts for itself."""
    rate_limit_enabled: bool = True
    """Whether requests are limited at all."""
    rate_limit_per_minute: int = Field(default=600, ge=1, le=1_000_000)
    """Requests of one caller, an account or an address; some operations have tighter limits. Then 429."""
    metrics_allow_ips: StringList = PRIVATE_NETWORKS
    """Addresses and networks that may read /metrics; for others there is no such path."""
    request_timeout_seconds: Seconds = 10.0
    """The longest that an answer may take; then 504."""
    receive_timeout_seconds: Seconds = 10.0
    """The longest that the head of a request may take to arrive, and its body; then 408."""
    max_concurrent_requests: int = Field(default=256, ge=1, le=100_000)
    """Requests that a process serves at the same time; beyond that 503."""
    max_body_bytes: int = Field(default=1_048_576, ge=1024, le=1_073_741_824)
    """The largest request body."""
    shutdown_timeout_seconds: int = Field(default=30, ge=2, le=3600)
    """How long a process may take to stop after SIGTERM, drain included."""
    shutdown_drain_seconds: int = Field(default=5, ge=0, le=10)
    """How long it goes on serving, not ready, so that balancers leave first: more than they take to notice."""
    recycle_after_requests: int = Field(default=200_000, ge=0, le=1_000_000_000)
    """A worker process is replaced after about so many requests; 0: never."""

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """Name the hosts that are answered, without ports."""
        public = urlsplit(self.public_url).hostname or "localhost"
        return self.allowed_hosts or (public, "localhost", "127.0.0.1", "[::1]")

    def shows_metrics_to(self, address: str | None) -> bool:
        """Tell whether this address may read the metrics; one that is none may not."""
        try:
            client = ip_address(address or "")
        except ValueError:
            return False
        return any(client in ip_network(network) for network in self.metrics_allow_ips)

    @field_validator("metrics_allow_ips")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
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
        return value

    @field_validator("allowed_hosts", "allowed_origins")
    @classmethod
    def _refuse_wildcards(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "*" in value and is_deployed(info):
            raise ValueError("must not be the wildcard * outside development")
        return value
