"""Kinds of jobs: a payload, a handler and a retry policy."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.core.config import Settings
from app.db.database import Database
from app.db.queue import JobPayload
from app.mail.mailer import Mailer
from app.mail.message import MessageFactory


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of handlers, created once for a worker."""

    settings: Settings
    database: Database
    mailer: Mailer
    messages: MessageFactory


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt at one job."""

    job_id: int
    attempt: int
    """1 for the first."""
    resources: Resources


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter; the defaults give up after about an hour and a half."""

    maximum_attempts: int = 12
    first_delay: timedelta = timedelta(seconds=2)
    longest_delay: timedelta = timedelta(minutes=30)

    def delay_after(self, attempt: int) -> timedelta:
        """Return the delay after an attempt: doubled each time, with jitter."""
        delay: timedelta = min(self.first_delay * 2 ** (attempt - 1), self.longest_delay)
        return delay * random.uniform(0.5, 1.5)  # noqa: S311  no secret


@dataclass(frozen=True, slots=True)
class JobKind:
    """A payload class and its handler.

    A job runs at least once: it may be repeated after a crash. So a handler must be idempotent, and its docstring says
    how.
    """

    payload: type[JobPayload]
    handler: Callable[[Any, JobContext], Awaitable[None]]
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class Schedule:
    """An action at the times of a cron expression (UTC), run by one of the workers."""

    name: str
    cron: str
    action: Callable[[Resources], Awaitable[None]]
