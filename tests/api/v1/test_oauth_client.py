"""A real OAuth2 client library against a real server."""

import sys
from pathlib import Path

import httpx2
from authlib.integrations.requests_client import OAuth2Session

from app.core.config import Settings
from app.db.database import Database
from devtools.loopback import free_port
from tests.factories import PASSWORD
from tests.processes import environment_of, serving


def test_authlib_gets_refreshes_and_revokes_a_token(settings: Settings, database: Database, tmp_path: Path) -> None:
    """The client is configured with the address of the token endpoint only."""
    del database
    port = free_port()
    base = f"http://127.0.0.1:{port}/api/v1"
    environment = environment_of(settings, port)
    command = [sys.executable, "-m", "app", "serve"]
    with serving(command, port=port, cwd=tmp_path, environment=environment):
        httpx2.post(f"{base}/users", json={"email": "ada@example.com", "password": PASSWORD})
        session = OAuth2Session(client_id="test", token_endpoint=f"{base}/auth/token", leeway=0)
        first = dict(session.fetch_token(f"{base}/auth/token", username="ada@example.com", password=PASSWORD))
        assert session.get(f"{base}/users/me").json()["email"] == "ada@example.com"

        session.token["expires_at"] = 1
        assert session.get(f"{base}/users/me").status_code == 200
        assert session.token["access_token"] != first["access_token"]
        assert session.token["refresh_token"] != first["refresh_token"]

        current = session.token["access_token"]
        assert session.revoke_token(f"{base}/auth/revoke", token=session.token["refresh_token"]).status_code == 200
        headers = {"Authorization": f"Bearer {current}"}
        assert httpx2.get(f"{base}/users/me", headers=headers).status_code == 401
        session.close()
