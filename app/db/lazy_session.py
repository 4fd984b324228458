"""The synchronous session inside `Session`: where it connects, commits and refuses to write."""

from collections.abc import Sequence
from typing import Any, NoReturn, cast

from sqlalchemy import Connection, event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.util import await_

from app.db.entities import REFRESHED
from app.db.transaction import Transaction


class LazySession(Session):
    """The synchronous session inside an AsyncSession; it takes its connection when a statement needs one."""

    def __init__(self, db_transaction: Transaction, *, read_only: bool, **options: Any) -> None:  # noqa: ANN401  passed on
        """Use this transaction for every statement."""
        super().__init__(**options)
        self.db_transaction = db_transaction
        self.read_only = read_only

    def get_bind(self, *_: Any, **__: Any) -> Connection:  # noqa: ANN401
        """Return the connection, in the transaction. SQLAlchemy calls this in a greenlet, which may await."""
        return await_(self.db_transaction.connect())

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write pending changes; raise InvalidRequestError in a read-only session that has some."""
        if self.read_only and (self.new or self.dirty or self.deleted):
            refuse_write()
        super().flush(objects)


def refuse_write() -> NoReturn:
    """Raise the error of a write in a read-only session."""
    raise InvalidRequestError("This session is read-only. GET and HEAD do not write: use another method")


@event.listens_for(LazySession, "do_orm_execute")
def _refuse_dml(state: ORMExecuteState) -> None:
    if cast("LazySession", state.session).read_only and (state.is_insert or state.is_update or state.is_delete):
        refuse_write()


@event.listens_for(LazySession, "after_commit")
def _commit(session: LazySession) -> None:
    if session.get_nested_transaction() is None:
        await_(session.db_transaction.commit())


@event.listens_for(LazySession, "after_rollback")
def _roll_back(session: LazySession) -> None:
    if session.get_nested_transaction() is None:
        await_(session.db_transaction.rollback())
    for instance in session.info.pop(REFRESHED, ()):
        if instance in session:
            session.expire(instance)
