"""The service of a resource with titles on plain SQLAlchemy, without traced statements."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select

from app.core.exceptions import NotFoundError, PreconditionFailedError
from app.db.base import LIKE_ESCAPE, escape_like
from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session

Versions = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class PlainService:
    """The rows of one owner, with entities and statements that the session of SQLAlchemy runs.

    It serves any model with `owner_id`, `title` and `version`, so its types are as loose as that.
    """

    db: Session
    owner_id: UUID
    model: Any
    order: SortOrder

    async def get(self, row_id: UUID) -> Any:
        """Return one row."""
        row = await self.db.scalar(self._select(row_id))
        if row is None:
            raise NotFoundError
        return row

    async def list(self, query: Any) -> KeysetPage[Any]:
        """Return one page of the rows that match."""
        rows = select(self.model).where(self.model.owner_id == self.owner_id)
        if query.title is not None:
            rows = rows.where(self.model.title.icontains(escape_like(query.title), escape=LIKE_ESCAPE))
        if query.created_after is not None:
            rows = rows.where(self.model.created_at > query.created_after)
        if query.created_before is not None:
            rows = rows.where(self.model.created_at < query.created_before)
        return await paginate(self.db, rows, self.order, query)

    async def create(self, data: Any) -> Any:
        """Create a row."""
        row = self.model(owner_id=self.owner_id, **data.model_dump())
        self.db.add(row)
        await self.db.flush()
        return row

    async def update(self, row_id: UUID, data: Any, versions: Versions = None) -> Any:
        """Change the given fields."""
        row = await self._lock(row_id, versions)
        for name, value in data.model_dump().items():
            setattr(row, name, value)
        await self.db.flush()
        return row

    async def delete(self, row_id: UUID, versions: Versions = None) -> None:
        """Delete a row."""
        await self._lock(row_id, versions)
        await self.db.execute(delete(self.model).where(self.model.id == row_id))

    def _select(self, row_id: UUID) -> Select[Any]:
        return select(self.model).where(self.model.id == row_id, self.model.owner_id == self.owner_id)

    async def _lock(self, row_id: UUID, versions: Versions) -> Any:
        row = await self.db.scalar(self._select(row_id).with_for_update())
        if row is None:
            raise NotFoundError
        if versions is not None and row.version not in versions:
            raise PreconditionFailedError
        return row
