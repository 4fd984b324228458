"""`make fuzz`: generated requests to the real service: anonymous, as a user, and as an administrator.

Schemathesis derives them from the OpenAPI document. It fails on a 5xx, an undocumented status, a response that does not
match its schema, valid input that is refused and invalid input that is accepted.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from app.core.config import load_settings
from app.core.database_url import PROJECT_ROOT, socket_url
from app.db.migrations import upgrade
from devtools.loopback import free_port, wait_for
from devtools.postgres import running_postgres

# Not the example password of the document, with which generated requests would delete the account.
PASSWORD = "wrong horse battery staple"  # noqa: S105
USER, ADMIN = "user@example.com", "admin@example.com"
CASES = re.compile(r"(\d+) generated")
BIN = Path(sys.executable).parent


@contextmanager
def running_service() -> Iterator[str]:
    """Run the service on a new database, with an account of each role; yield its address."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.chmod(0o711)  # As root PostgreSQL runs as another user.
    with running_postgres(folder / "pg", "fsync = off") as postgres:
        port = free_port()
        postgres.create_database("app")
        url = socket_url(folder / "pg", "app")
        environment = {**os.environ, "DATABASE_URL": url, "PORT": str(port), "RATE_LIMIT_ENABLED": "false"}
        environment |= {"PASSWORD_HASH_MEMORY_KIB": "8", "LOG_LEVEL": "ERROR", "WORKER_IN_PROCESS": "false"}
        environment["SHUTDOWN_DRAIN_SECONDS"] = "0"
        upgrade(load_settings().model_copy(update={"database_url": type(load_settings().database_url)(url)}))
        create_admin = [sys.executable, "-m", "app", "create-admin", ADMIN, "--password-stdin"]
        subprocess.run(create_admin, env=environment, input=PASSWORD, text=True, check=True, cwd=PROJECT_ROOT)
        server = subprocess.Popen([sys.executable, "-m", "app", "serve"], env=environment, cwd=PROJECT_ROOT)
        try:
            wait_for(f"http://127.0.0.1:{port}/health/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()
    shutil.rmtree(folder)


def token_of(address: str, email: str) -> str:
    """Log in."""
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    token: str = httpx2.post(f"{address}/api/v1/auth/token", data=form).raise_for_status().json()["access_token"]
    return token


def fuzz(address: str, caller: str, token: str | None, examples: int) -> tuple[bool, int]:
    """Run schemathesis as one caller; return whether it passed, and the number of cases."""
    command: list[str | Path] = [BIN / "schemathesis", "--config-file", PROJECT_ROOT / "schemathesis.toml", "run"]
    # One worker: hypothesis calls `ast.parse`, which can raise a SystemError in Python 3.11 if two threads call it.
    command += [f"{address}/api/openapi.json", f"--max-examples={examples}", "--workers=1"]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT_ROOT)
    cases = sum(int(number) for number in CASES.findall(done.stdout))
    print(f"{caller}: {cases} cases, {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print(done.stdout[-12_000:], done.stderr[-2000:])
    return done.returncode == 0, cases


def main() -> int:
    """Fuzz as every kind of caller."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=3, help="examples for each operation and phase")
    arguments = parser.parse_args()
    with running_service() as address:
        httpx2.post(f"{address}/api/v1/users", json={"email": USER, "password": PASSWORD}).raise_for_status()
        callers = {"anonymous": None, "user": token_of(address, USER), "administrator": token_of(address, ADMIN)}
        results = [fuzz(address, caller, token, arguments.examples) for caller, token in callers.items()]
    print(f"{sum(cases for _, cases in results)} cases in all")
    return 0 if all(is_ok for is_ok, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
