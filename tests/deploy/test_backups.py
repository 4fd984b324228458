"""A backup can be restored."""

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select, table, text
from starlette.types import ASGIApp

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from app.db.database import Database
from devtools.postgres import BINARIES
from tests.conftest import make_settings, serving
from tests.databases import DatabaseMaker
from tests.factories import PASSWORD, Accounts
from tests.notes.application import create_notes_application
from tests.queries import ReadOnly

DEPLOY = PROJECT_ROOT / "deploy"


@pytest.mark.skipif(not (BINARIES / "pg_dump").exists(), reason="needs PostgreSQL's own tools")
async def test_a_backup_can_be_restored(
    accounts: Accounts, settings: Settings, application: ASGIApp, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    """With the two scripts of deploy/, into an empty database; the service then has all its data."""
    del application  # its schema
    ada = await accounts.create()
    note = await ada.create_note("milk")
    source, target = settings.database_url.get_secret_value(), await new_database.make()

    def script(name: str, *arguments: str, database: str) -> str:
        environment = {
            **os.environ,
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            "DATABASE_URL": database,
            "BACKUP_DIRECTORY": str(tmp_path),
        }
        command = ["sh", str(DEPLOY / name), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    dump = script("backup.sh", database=source)
    assert Path(dump).parent == tmp_path
    script("restore.sh", dump, database=target)

    restored = make_settings(target)
    assert await counts(target) == await counts(source)
    async with serving(create_notes_application(restored)) as client:
        form = {"grant_type": "password", "username": ada.email, "password": PASSWORD}
        token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
        read = await client.get(f"/api/v1/notes/{note['id']}", headers={"Authorization": f"Bearer {token}"})
    assert read.json() == note
    with pytest.raises(subprocess.CalledProcessError):
        script("restore.sh", dump, database=target)  # which is not empty any more


async def counts(dsn: str) -> dict[str, int]:
    """The number of rows in every table."""
    database = Database(make_settings(dsn))
    session = ReadOnly(database)
    tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"))
    found = {name: await session.scalar(select(func.count()).select_from(table(name))) or 0 for name in tables}
    await database.dispose()
    return found
