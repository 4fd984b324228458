"""A running service in development, with what a person would find there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from app.core.database_url import PROJECT_ROOT
from devtools.loopback import free_port
from tests.factories import PASSWORD
from tests.processes import serving


@dataclass(frozen=True)
class Site:
    """The service at an address."""

    url: str

    def register(self, email: str, **fields: str) -> str:
        """Register an account; return its access token."""
        with httpx2.Client(base_url=self.url) as client:
            answer = client.post("/api/v1/users", json={"email": email, "password": PASSWORD, **fields})
            assert answer.status_code == 201, answer.text
        return self.log_in(email)

    def log_in(self, email: str, password: str = PASSWORD, **headers: str) -> str:
        """Return an access token of a new session."""
        form = {"grant_type": "password", "username": email, "password": password}
        answer = httpx2.post(f"{self.url}/api/v1/auth/token", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def request(self, method: str, path: str, token: str, **json: object) -> httpx2.Response:
        """Make a request to the API."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.request(method, f"{self.url}{path}", headers=headers, json=json or None)


@contextmanager
def running_site(database_url: str, folder: Path) -> Iterator[Site]:
    """Run the service with a worker, whose mails are files in a folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PORT": str(port),
        "PUBLIC_URL": url,
        "DATABASE_URL": database_url,
        "WORKER_IN_PROCESS": "true",
        "WEB_CONCURRENCY": "1",
        "MAIL_DIRECTORY": str(folder / "mail"),
        "RATE_LIMIT_ENABLED": "false",
        "SHUTDOWN_DRAIN_SECONDS": "0",
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    app = [sys.executable, "-m", "app"]
    subprocess.run([*app, "migrate"], env=environment, cwd=folder, check=True, capture_output=True)
    with serving([*app, "serve"], port=port, cwd=folder, environment=environment):
        admin = [*app, "create-admin", "root@example.com", "--password-stdin"]
        subprocess.run(admin, input=PASSWORD, text=True, env=environment, cwd=folder, check=True, capture_output=True)
        yield Site(url)
