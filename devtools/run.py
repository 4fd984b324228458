"""`make run`: the service with reload, on a PostgreSQL of its own unless DATABASE_URL names another."""

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from app.core.config import Settings, load_settings
from app.core.database_url import EMBEDDED_DATA_DIRECTORY, PROJECT_ROOT, is_embedded
from app.core.exceptions import ConfigurationError
from app.db.migrations import upgrade
from devtools.postgres import EmbeddedPostgresError, running_postgres

ENV_FILE = PROJECT_ROOT / ".env"
ENV_EXAMPLE = PROJECT_ROOT / ".env.example"


def write_env_file(path: Path = ENV_FILE) -> None:
    """Write `.env` from its example with a secret of its own, unless there is one."""
    if path.exists():
        return
    secret = f"SECRET_KEY={secrets.token_urlsafe(48)}"
    path.touch(mode=0o600)
    path.write_text(ENV_EXAMPLE.read_text().replace("SECRET_KEY=\n", f"{secret}\n"))


@contextmanager
def running_database(settings: Settings) -> Iterator[None]:
    """Run the embedded server if the settings lead to it, and migrate whatever database they lead to."""
    embedded = is_embedded(settings.database_url.get_secret_value())
    with running_postgres(EMBEDDED_DATA_DIRECTORY) if embedded else nullcontext() as server:
        if server:
            server.create_database("app")
        upgrade(settings)
        yield


def print_addresses(settings: Settings) -> None:
    """Tell where to go next."""
    base = f"http://{settings.host}:{settings.port}"
    print(f"\n  API documentation   {base}/api/docs")
    print(f"  Readiness           {base}/health/ready")
    print(f"  Database            {settings.database_url.get_secret_value()}\n", flush=True)


def serve() -> int:
    """Run the server until it ends or we are told to; it shares our terminal and gets Ctrl-C itself."""
    server = subprocess.Popen([sys.executable, "-m", "app", "serve", "--reload"])
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return server.wait()


def main() -> int:
    """Start everything, and stop everything that was started."""
    write_env_file()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        settings = load_settings()
        with running_database(settings):
            if "--database-only" in sys.argv:
                print(f"PostgreSQL is up: {settings.database_url.get_secret_value()}", flush=True)
                signal.pause()
            print_addresses(settings)
            return serve()
    except (ConfigurationError, EmbeddedPostgresError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
