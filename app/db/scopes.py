"""Context managers that commit or roll back a session."""

from dataclasses import dataclass

from app.core.exceptions import DatabaseUnavailableError, InternalError, UnitOfWorkLostError
from app.db.errors import is_write_in_read_only, translate
from app.db.session import Session
from app.db.transaction import DATABASE_ERRORS


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction. Errors of the database become domain errors."""

    session: Session

    async def __aenter__(self) -> Session:
        return self.session

    async def __aexit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            await self._abandon(error)
            return
        try:
            await self.session.commit()
        except BaseException as failure:
            await self._abandon(failure)
            raise

    async def _abandon(self, error: BaseException) -> None:
        is_lost, can_be_retried = self.session.invalidate_if_lost(error), self.session.can_be_retried
        await self.session.close()
        if not isinstance(error, DATABASE_ERRORS):
            return
        known = translate(error, is_lost=is_lost and can_be_retried)
        if isinstance(known, UnitOfWorkLostError) and self.session.has_committed:
            known = DatabaseUnavailableError()  # Repeating it would do the first part twice.
        raise known from error


@dataclass(frozen=True, slots=True)
class Reading:
    """A read-only session, closed at the end. Errors of the database become domain errors."""

    session: Session

    async def __aenter__(self) -> Session:
        return self.session

    async def __aexit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        is_lost = error is not None and self.session.invalidate_if_lost(error)
        await self.session.close()
        if error is not None and is_write_in_read_only(error):
            raise InternalError from error  # A bug: the session is read-only, not the server.
        if isinstance(error, DATABASE_ERRORS):
            raise translate(error, is_lost=is_lost) from error
