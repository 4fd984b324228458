"""The job queue for services: `enqueue` in a unit of work; the job is inserted if and only if that commits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self

import structlog
from opentelemetry import propagate
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver
from pydantic import BaseModel, ConfigDict

from app.db.session import Session


class JobPayload(BaseModel):
    """The data of a job. It is stored as plain text: identifiers, never secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    """The name of the kind: stable, because jobs outlive deployments."""


@dataclass(frozen=True, slots=True)
class PendingJob:
    """A job that waits for the end of its unit of work."""

    payload: JobPayload
    delay: timedelta
    deduplication_key: str | None
    headers: Mapping[str, str]


def enqueue(
    session: Session,
    payload: JobPayload,
    *,
    delay: timedelta = timedelta(0),
    deduplication_key: str | None = None,
) -> None:
    """Add a job to the unit of work. It runs at least once, not earlier than `delay` after the commit.

    While a job with the same deduplication key waits or runs, another is not added.
    """
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers = {"request_id": request_id} if request_id else {}
    propagate.inject(headers)  # the trace, if there is one
    job = PendingJob(payload, delay, deduplication_key, headers)
    session.pending_jobs.append(job)


async def flush_jobs(session: Session) -> None:
    """Insert the pending jobs in the transaction of the session, with one statement."""
    jobs: list[PendingJob] = session.pending_jobs
    if not jobs:
        return
    session.pending_jobs = []
    await Queries(SessionDriver(session)).enqueue(
        [job.payload.kind for job in jobs],
        [job.payload.model_dump_json().encode() for job in jobs],
        [0] * len(jobs),
        [job.delay for job in jobs],
        [job.deduplication_key for job in jobs],
        [dict(job.headers) for job in jobs],
        on_conflict="skip",
    )


class SessionDriver(Driver):
    """Runs pgqueuer's statements through a session, so that they belong to its transaction."""

    def __init__(self, session: Session) -> None:
        """Use this session, which the caller closes."""
        self._session = session
        # pgqueuer sends some statements at the same time, which one connection cannot do.
        self._lock = asyncio.Lock()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run a query and return its rows."""
        async with self._lock:
            result = await (await self._session.connection()).exec_driver_sql(query, args)
            return [dict(row) for row in result.mappings()]

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""
        async with self._lock:
            await (await self._session.connection()).exec_driver_sql(query, args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Notify when the transaction commits."""
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: Any) -> None:  # noqa: ANN401  as the protocol has it
        """Refuse: a session is too short-lived to listen."""
        raise NotImplementedError

    @property
    def shutdown(self) -> asyncio.Event:
        """Nothing to shut down."""
        return asyncio.Event()

    @property
    def tm(self) -> TaskManager:
        """No tasks."""
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None
