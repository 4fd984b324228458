"""Lists of any table, for administrators."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.pagination import KeysetPage, SortOrder, paginate
from app.db.session import Session
from app.observability.security_log import SecurityEvent, record
from app.schemas.page import PageQuery
from app.services.principal import Principal


@dataclass(frozen=True, slots=True)
class ListingService:
    """Reads the rows of all owners."""

    db: Session
    caller: Principal

    async def list(self, model: type[Any], order: SortOrder, query: PageQuery) -> KeysetPage[Any]:
        """Return one page of a table, in the order of its first column."""
        record(SecurityEvent.ACCOUNTS_READ, user_id=self.caller.user_id, table=model.__tablename__)
        return await paginate(self.db, select(model), order, query)
