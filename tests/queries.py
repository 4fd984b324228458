"""Single statements, each in a separate read-only session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, Row

from app.db.database import Database


@dataclass(frozen=True)
class ReadOnly:
    """Runs statements against a database, outside any unit of work."""

    database: Database

    async def scalar(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Any:
        """Return the first column of the first row."""
        async with self.database.read_only() as db:
            return await db.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        """Return the first column of each row."""
        async with self.database.read_only() as db:
            return (await db.scalars(statement, parameters)).all()

    async def execute(
        self, statement: Executable, parameters: dict[str, Any] | None = None
    ) -> list[Row[*tuple[Any, ...]]]:
        """Return all rows."""
        async with self.database.read_only() as db:
            return list((await db.execute(statement, parameters)).all())
