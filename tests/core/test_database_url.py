"""URLs of databases."""

import ssl
from pathlib import Path

from app.core.database_url import describe, for_driver, single_hosts, socket_directory, to_dsn
from app.db.connect import tls_options


def test_urls_of_hosting_providers_are_understood() -> None:
    """Parameters that asyncpg does not support are removed and reported."""
    url = "postgres://u:p@db.example:6543/app?sslmode=verify-full&channel_binding=require&pgbouncer=true&connect_timeout=5"
    dsn, ignored = for_driver(to_dsn(url))
    assert dsn == "postgresql://u:p@db.example:6543/app?sslmode=verify-full"
    assert ignored == ["channel_binding", "connect_timeout", "pgbouncer"]
    assert isinstance(tls_options(dsn)["ssl"], ssl.SSLContext)
    assert tls_options(f"{dsn}&sslrootcert=/ca.pem") == {}


def test_each_host_of_a_url_has_a_url_of_its_own() -> None:
    """Both spellings of libpq are supported."""
    assert single_hosts("postgresql://u:p@a:1,b:2/d?x=y") == [
        "postgresql://u:p@a:1/d?x=y",
        "postgresql://u:p@b:2/d?x=y",
    ]
    assert single_hosts("postgresql://u@/d?host=/a,/b") == [
        "postgresql://u@/d?host=%2Fa",
        "postgresql://u@/d?host=%2Fb",
    ]


def test_a_connection_is_described_without_its_password() -> None:
    """For messages to operators."""
    described = describe("postgresql://app:canary@db:5432/name?sslmode=require")
    assert described == "host db:5432, database name, user app"


def test_database_urls_of_every_spelling_become_libpq_urls() -> None:
    """SQLAlchemy's driver suffix and the short scheme are removed."""
    for spelling in ("postgres", "postgresql", "postgresql+asyncpg"):
        assert to_dsn(f"{spelling}://u:p@h:5/d?sslmode=require") == "postgresql://u:p@h:5/d?sslmode=require"


def test_a_deep_checkout_gets_a_socket_with_a_short_path() -> None:
    """The path of a Unix socket has about 100 bytes."""
    shallow, deep = Path("/srv/var/postgres"), Path("/" + "deep/" * 30)
    assert socket_directory(shallow) == shallow
    assert len(str(socket_directory(deep))) < 80
