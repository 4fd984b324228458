"""A COMMIT that fails is never a success."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from app.db.base import Base
from app.db.database import Database
from tests.factories import Accounts, problem
from tests.notes.model import NotesBase
from tests.operations import Operation
from tests.test_commit_order import Scene, every_write, prepare


@asynccontextmanager
async def failing_commits(database: Database) -> AsyncIterator[None]:
    """Make PostgreSQL refuse every COMMIT of a change, with deferred constraint triggers."""
    function = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = '53100'; END $$"
    )
    trigger = (
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON {} "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    async with database.engine.begin() as connection:
        await connection.execute(text(function))
        for table in (*Base.metadata.tables, *NotesBase.metadata.tables, "pgqueuer"):
            await connection.execute(text(trigger.format(table)))
    try:
        yield
    finally:
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP FUNCTION refuse CASCADE"))


@every_write
async def test_a_failing_commit_is_never_a_success(
    accounts: Accounts, database: Database, operation: Operation
) -> None:
    """The client gets an error, and nothing is written."""
    scene = await Scene.build(accounts)
    act = await prepare(operation, scene)
    lists = ("/api/v1/users", "/api/v1/admin/jobs")
    before = [(await scene.root.request("GET", path)).json() for path in lists]

    async with failing_commits(database):
        assert problem(await act()) == (503, "database_unavailable")

    assert [(await scene.root.request("GET", path)).json() for path in lists] == before
    assert len((await scene.ada.request("GET", "/api/v1/auth/sessions")).json()["items"]) == 2
