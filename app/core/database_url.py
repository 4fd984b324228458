"""Database URLs: which are accepted, and where the embedded server of development listens."""

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

PROJECT_ROOT = Path(__file__).resolve().parents[2]
EMBEDDED_DATA_DIRECTORY = PROJECT_ROOT / "var" / "postgres"
MAXIMUM_SOCKET_DIRECTORY_LENGTH = 80
"""A socket's path has at most 107 bytes on Linux and 103 on macOS, the file name included."""


def to_dsn(url: str) -> str:
    """Reduce SQLAlchemy's and Heroku's spellings to the `postgresql://` that libpq and asyncpg read.

    Raises ValueError for anything that is not PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("must be a postgresql:// URL")
    return urlunsplit(parts._replace(scheme="postgresql", netloc=parts.netloc or "postgres@"))


def socket_directory(data_directory: Path) -> Path:
    """Give the folder of a server's socket: its data folder, or one with a shorter path."""
    if len(str(data_directory)) <= MAXIMUM_SOCKET_DIRECTORY_LENGTH:
        return data_directory
    digest = hashlib.sha256(str(data_directory).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"postgres-{digest}"


def socket_url(data_directory: Path, database: str) -> str:
    """Address a database of the server that owns this data folder."""
    return f"postgresql://postgres@/{database}?host={quote(str(socket_directory(data_directory)))}"


def embedded_database_url() -> str:
    """Address the database of `make run`."""
    return socket_url(EMBEDDED_DATA_DIRECTORY, "app")


def is_embedded(dsn: str) -> bool:
    """Tell whether the URL leads to the embedded server of this checkout."""
    return quote(str(socket_directory(EMBEDDED_DATA_DIRECTORY))) in dsn
