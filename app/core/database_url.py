"""Database URLs, and the address of the embedded server of development."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

PROJECT_ROOT = Path(__file__).resolve().parents[2]
MAXIMUM_SOCKET_DIRECTORY_LENGTH = 80
"""A socket's path has at most 107 bytes on Linux and 103 on macOS, the file name included."""
SCHEME = re.compile(r"postgres(ql)?(\+\w+)?")
"""The spellings of SQLAlchemy, with any driver, and of hosting providers."""
NOT_FOR_DRIVER = frozenset(
    {
        *("channel_binding", "connect_timeout", "fallback_application_name", "gssdelegation", "gssencmode"),
        *("keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts"),
        *("replication", "require_auth", "requirepeer", "sslcertmode", "sslcompression", "sslsni", "tcp_user_timeout"),
        *("connection_limit", "pgbouncer", "pool_timeout", "schema"),
    }
)
"""Parameters of libpq, and of ORMs of other languages, that the driver would send to the server as settings."""


def to_dsn(url: str) -> str:
    """Return a URL of SQLAlchemy or of a hosting provider as libpq's `postgresql://`.

    Raises ValueError for anything that is not PostgreSQL, and for a password with characters that are not escaped.
    """
    parts = urlsplit(url)
    if not SCHEME.fullmatch(parts.scheme):
        raise ValueError("must be a postgresql:// URL")
    if parts.netloc.count("@") > 1:
        raise ValueError("has an @ in the user name or the password: write it as %40")
    try:
        _ = [urlsplit(f"//{host}").port for host in parts.netloc.rpartition("@")[2].split(",")]
    except ValueError:
        raise ValueError(
            "has a port that is not a number, or a / or # in the password: write those as %2F, %23"
        ) from None
    return urlunsplit(parts._replace(scheme="postgresql", netloc=parts.netloc or "postgres@"))


def for_driver(dsn: str) -> tuple[str, list[str]]:
    """Return a DSN without the parameters that the driver does not know, and the names of those."""
    parts = urlsplit(dsn)
    query = parse_qsl(parts.query)
    ignored = sorted({name for name, _ in query} & NOT_FOR_DRIVER)
    if not ignored:
        return dsn, []
    kept = urlencode([pair for pair in query if pair[0] not in ignored], quote_via=quote)
    return urlunsplit(parts._replace(query=kept)), ignored


def single_hosts(dsn: str) -> list[str]:
    """Return a DSN for each host of a DSN, in their order."""
    parts = urlsplit(dsn)
    user, at, hosts = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query))
    if hosts:
        return [urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")]
    names, ports = query.get("host", "").split(","), query.get("port", "").split(",")
    single = []
    for number, name in enumerate(names):
        port = ports[number] if len(ports) == len(names) else ports[0]
        own = {**query, "host": name, "port": port}
        encoded = urlencode({key: value for key, value in own.items() if value}, quote_via=quote)
        single.append(urlunsplit(parts._replace(query=encoded)))
    return single


def user_of(dsn: str) -> str:
    """Return the role that a DSN names, or an empty string."""
    parts = urlsplit(dsn)
    return unquote(parts.username or "") or dict(parse_qsl(parts.query)).get("user", "")


def describe(dsn: str) -> str:
    """Return host, port, database and user of a DSN for messages, without the password."""
    return ", ".join(f"{name} {value}" for name, value in _parts_of(dsn))


def _parts_of(dsn: str) -> Iterator[tuple[str, str]]:
    parts, query = urlsplit(dsn), dict(parse_qsl(urlsplit(dsn).query))
    yield "host", parts.netloc.rpartition("@")[2] or query.get("host", "localhost")
    yield "database", unquote(parts.path.lstrip("/")) or query.get("dbname", "(that of the user)")
    yield "user", user_of(dsn) or "(that of the system)"


def embedded_data_directory(root: Path = PROJECT_ROOT) -> Path:
    """Return the data folder of the embedded server: `var/postgres`, or for root a folder that `nobody` can enter.

    PostgreSQL refuses to run as root, and the checkout may be in a folder that only root may enter.
    """
    if os.geteuid() != 0:
        return root / "var" / "postgres"
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    return Path("/var/tmp") / f"postgres-of-root-{digest}" / "data"  # noqa: S108  the folder itself is made with mode 0700


def socket_directory(data_directory: Path) -> Path:
    """Return the folder of a server's socket: its data folder, or one with a shorter path."""
    if len(str(data_directory)) <= MAXIMUM_SOCKET_DIRECTORY_LENGTH:
        return data_directory
    digest = hashlib.sha256(str(data_directory).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"postgres-{digest}"


def socket_url(data_directory: Path, database: str) -> str:
    """Return the URL of a database of the server that owns this data folder."""
    return f"postgresql://postgres@/{database}?host={quote(str(socket_directory(data_directory)), safe='')}"


def embedded_database_url() -> str:
    """Return the URL of the database of `make run`."""
    return socket_url(embedded_data_directory(), "app")


def is_embedded(dsn: str) -> bool:
    """Return whether a DSN leads to the embedded server of this checkout."""
    return quote(str(socket_directory(embedded_data_directory())), safe="") in dsn
