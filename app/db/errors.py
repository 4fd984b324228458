"""Map PostgreSQL errors (SQLSTATE, appendix A of its documentation) to domain errors."""

from collections.abc import Iterator
from typing import NoReturn

import asyncpg
from sqlalchemy import exc
from sqlalchemy.engine import ExceptionContext

from app.core.exceptions import (
    ConflictError,
    DatabaseUnavailableError,
    DeadlineExceededError,
    DomainError,
    InternalError,
    OverloadedError,
    UnitOfWorkLostError,
    ValidationFailedError,
)
from app.db.base import Base

BY_SQLSTATE: dict[str, type[DomainError]] = {
    # Integrity
    "23505": ConflictError,
    "23503": ConflictError,
    "23514": ValidationFailedError,
    # Values that PostgreSQL cannot store, in case a schema accepts them
    "22000": ValidationFailedError,
    "22001": ValidationFailedError,
    "22003": ValidationFailedError,
    "22021": ValidationFailedError,
    "2201W": ValidationFailedError,
    # Contention
    "40001": UnitOfWorkLostError,
    "40P01": UnitOfWorkLostError,
    "55P03": DatabaseUnavailableError,
    "57014": DeadlineExceededError,
    # The server stops, starts, is full, or is a replica
    "25006": DatabaseUnavailableError,
    "25P03": DatabaseUnavailableError,
    "53100": DatabaseUnavailableError,
    "53200": DatabaseUnavailableError,
    "53300": OverloadedError,
    "53400": DatabaseUnavailableError,
    "54000": DatabaseUnavailableError,
    "55006": DatabaseUnavailableError,
    "58030": DatabaseUnavailableError,
    "57P01": DatabaseUnavailableError,
    "57P02": DatabaseUnavailableError,
    "57P03": DatabaseUnavailableError,
    "57P05": DatabaseUnavailableError,
}
CONNECTION_EXCEPTION_CLASS = "08"
INVALID_AUTHORIZATION_CLASS = "28"
"""The server refuses the credentials: they are being rotated, or they are wrong."""
READ_ONLY = "25006"
ENDED_BY_THE_SERVER = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
"""A server that became read-only keeps its connections, which are useless for writes."""
BY_TYPE: dict[type[BaseException], type[DomainError]] = {
    exc.TimeoutError: OverloadedError,  # of the pool
    TimeoutError: DeadlineExceededError,  # of asyncpg's command_timeout
    ValueError: ValidationFailedError,  # a value that asyncpg cannot encode
    asyncpg.InterfaceError: DatabaseUnavailableError,
    asyncpg.InternalClientError: DatabaseUnavailableError,  # none of several hosts is what was asked for
}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _error_of_constraint(name: str | None) -> type[DomainError] | None:
    """Return the error that a model declares for its constraint: `info={"error": EmailTakenError}`."""
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if name is not None and constraint.name == name:
                return constraint.info.get("error")
    return None


def _of_sqlstate(error: asyncpg.PostgresError) -> type[DomainError] | None:
    state = error.sqlstate or ""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return UnitOfWorkLostError  # A migration has changed the type of a column.
    if state.startswith((CONNECTION_EXCEPTION_CLASS, INVALID_AUTHORIZATION_CLASS)):
        return DatabaseUnavailableError
    return _error_of_constraint(getattr(error, "constraint_name", None)) or BY_SQLSTATE.get(state)


def _of_cause(cause: BaseException) -> type[DomainError] | None:
    if isinstance(cause, asyncpg.PostgresError):
        return _of_sqlstate(cause)
    return next((kind for raised, kind in BY_TYPE.items() if isinstance(cause, raised)), None)


def is_write_in_read_only(error: BaseException) -> bool:
    """Return whether PostgreSQL refused a write, because the server or the transaction is read-only."""
    return any(getattr(cause, "sqlstate", None) == READ_ONLY for cause in _causes(error))


def is_ending(error: BaseException, *, read_only: bool = False) -> bool:
    """Return whether the server closes connections or has become a standby: all other connections fail, too.

    A refused write on a connection that is `read_only` by design says nothing about the server.
    """
    state = getattr(error, "sqlstate", None) or ""
    if read_only and state == READ_ONLY:
        return False
    return state in ENDED_BY_THE_SERVER or state.startswith(CONNECTION_EXCEPTION_CLASS)


def note_disconnect(context: ExceptionContext, *, read_only: bool) -> None:
    """Let SQLAlchemy's pool replace all its connections in that case."""
    if is_ending(context.original_exception, read_only=read_only):
        context.is_disconnect = True


def translate(error: Exception, *, is_lost: bool = False) -> DomainError:
    """Return the domain error for an exception of SQLAlchemy or asyncpg; InternalError for unknown ones.

    `is_lost` means that the connection and its transaction are lost; it is False once COMMIT was sent. Exceptions of
    SQLAlchemy have `connection_invalidated` for that.
    """
    if is_lost or (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
        return UnitOfWorkLostError()
    found = (_of_cause(cause) for cause in _causes(error))
    return next((kind for kind in found if kind), InternalError)()


def raise_as_sqlalchemy(error: BaseException, sql: str, *, is_lost: bool) -> NoReturn:
    """Raise the exception that SQLAlchemy raises for an error of asyncpg, so that `except IntegrityError` works."""
    if not isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        raise error
    kind: type[exc.DBAPIError] = exc.DBAPIError
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        kind = exc.IntegrityError
    elif isinstance(error, asyncpg.InterfaceError):
        kind = exc.InterfaceError
    raise kind(sql, None, error, hide_parameters=True, connection_invalidated=is_lost) from error
