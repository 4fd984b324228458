"""Generate clients from the OpenAPI document and check them: the TypeScript compiler, and Python against a server."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from devtools.fuzz import PASSWORD, running_service

TYPESCRIPT = PROJECT_ROOT / "clients" / "typescript"
PYTHON_GENERATOR = Path(sys.executable).with_name("openapi-python-client")
EMAIL = "client@example.com"


def check_typescript() -> None:
    """Lint the documents, generate types, and compile the example with them."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("Node.js is needed to check the TypeScript client: install it, or run the other steps one by one")
    steps = (["ci", "--no-audit", "--no-fund"], ["run", "lint"], ["run", "generate"], ["run", "check"])
    for arguments in steps:
        subprocess.run([npm, *arguments], cwd=TYPESCRIPT, check=True)


def check_python() -> None:
    """Generate a client; register, log in, change the account and list the sessions with it."""
    with tempfile.TemporaryDirectory() as folder:
        document = PROJECT_ROOT / "docs" / "openapi" / "v1.json"
        target = Path(folder) / "generated"
        command: list[str | Path] = [
            PYTHON_GENERATOR,
            "generate",
            f"--path={document}",
            "--meta=none",
            f"--output-path={target}",
        ]
        # It formats its output with ruff.
        environment = {**os.environ, "PATH": os.pathsep.join([str(PYTHON_GENERATOR.parent), os.environ["PATH"]])}
        subprocess.run([*command, "--fail-on-warning"], check=True, env=environment)
        sys.path.insert(0, folder)
        with running_service() as address:
            tour(address)


def tour(address: str) -> None:
    """Do what clients/typescript/example.ts does."""
    generated = importlib.import_module("generated")
    models = importlib.import_module("generated.models")
    users = importlib.import_module("generated.api.users.create_user")
    tokens = importlib.import_module("generated.api.auth.create_token")
    update = importlib.import_module("generated.api.users.update_current_user")
    sessions = importlib.import_module("generated.api.auth.list_sessions")
    anonymous = generated.Client(base_url=address, raise_on_unexpected_status=True)
    users.sync(client=anonymous, body=models.UserCreate(email=EMAIL, password=PASSWORD))
    form = models.TokenRequest(grant_type="password", username=EMAIL, password=PASSWORD)
    token = tokens.sync(client=anonymous, body=form)
    client = generated.AuthenticatedClient(base_url=address, token=token.access_token)
    account = update.sync(client=client, body=models.UserUpdate(full_name="Ada Lovelace"))
    current = [session.is_current for session in sessions.sync(client=client).items]
    if (account.full_name, current) != ("Ada Lovelace", [True]):
        sys.exit(f"The Python client read {account} and {current}")


if __name__ == "__main__":
    check_typescript()
    check_python()
