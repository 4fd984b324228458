"""`make run`: the service with reload, on an embedded PostgreSQL unless DATABASE_URL names another server."""

import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from app.core.config import Settings, load_settings
from app.core.database_url import PROJECT_ROOT, describe, embedded_data_directory, is_embedded
from app.core.exceptions import ConfigurationError, DomainError
from app.db.migrations import upgrade
from devtools.postgres import EmbeddedPostgresError, running_postgres

ENV_FILE = PROJECT_ROOT / ".env"
ENV_EXAMPLE = PROJECT_ROOT / ".env.example"


def write_env_file(path: Path = ENV_FILE) -> None:
    """Write `.env` from its example with a new secret, unless there is one."""
    if path.exists():
        return
    secret = f"SECRET_KEY={secrets.token_urlsafe(48)}"
    path.touch(mode=0o600)
    path.write_text(ENV_EXAMPLE.read_text().replace("SECRET_KEY=\n", f"{secret}\n"))


def check_port(settings: Settings) -> None:
    """Raise ConfigurationError if another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            another = settings.port + 1
            message = f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Try PORT={another} make run"
            raise ConfigurationError(message) from None


@contextmanager
def running_database(settings: Settings) -> Iterator[None]:
    """Run the embedded server if the settings lead to it, and migrate the database that they lead to."""
    embedded = is_embedded(settings.database_url.get_secret_value())
    with running_postgres(embedded_data_directory()) if embedded else nullcontext() as server:
        if server:
            server.create_database("app")
        upgrade(settings)
        yield


def print_addresses(settings: Settings) -> None:
    """Print the addresses to open next."""
    base = f"http://{settings.host}:{settings.port}"
    print(f"\n  Start page          {base}")
    print(f"  API documentation   {base}/api/docs")
    print(f"  Mails               {base}/mails")
    print(f"  Administration      {base}/admin")
    print(f"  Readiness           {base}/health/ready")
    print(f"  Database            {describe(settings.database_url.get_secret_value())}\n", flush=True)


def serve() -> int:
    """Run the server until it ends or SIGTERM arrives. It shares the terminal and receives Ctrl-C itself."""
    server = subprocess.Popen([sys.executable, "-m", "app", "serve", "--reload"])
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return server.wait()


def main() -> int:
    """Start everything, and stop it at the end."""
    write_env_file()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        settings = load_settings()
        is_database_only = "--database-only" in sys.argv
        if not is_database_only:
            check_port(settings)
        with running_database(settings):
            if is_database_only:
                print(f"PostgreSQL is up: {describe(settings.database_url.get_secret_value())}", flush=True)
                signal.pause()
            print_addresses(settings)
            return serve()
    except (ConfigurationError, EmbeddedPostgresError) as error:
        print(error, file=sys.stderr)
    except DomainError as error:
        print(error.reason or error.detail, file=sys.stderr)
        print("Check DATABASE_URL; unset, the embedded server of development is used", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
