"""A connection pool that serves those who wait in the order they came."""

import asyncio
from typing import Any

from sqlalchemy import exc
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_


class FifoPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool behind a gate of the pool's size.

    The pool alone lets newcomers overtake those who wait: at the same throughput its p99 is ten times as long. The
    gate stands here, not before the session, so that only who really needs a connection waits for one.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  passed on as they are
        """Take what the pool takes; overflow makes no sense behind the gate."""
        super().__init__(*args, **{**options, "max_overflow": 0})
        self._gate = asyncio.Semaphore(self.size())

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(self.timeout()):
                await self._gate.acquire()
        except TimeoutError:
            raise exc.TimeoutError("no connection became free in time") from None

    def _do_get(self) -> ConnectionPoolEntry:
        await_(self._enter())
        try:
            return super()._do_get()
        except BaseException:
            self._gate.release()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        self._gate.release()
