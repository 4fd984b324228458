"""The lifespan: start and stop everything that lives as long as the application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from app.api.access import read_operations
from app.core.config import Settings
from app.core.passwords import PasswordHasher
from app.core.security import AccessTokens
from app.db.database import Database
from app.observability.health import HealthService
from app.observability.history import History
from app.observability.metrics import Metrics
from app.observability.sampling import MetricsService
from app.observability.watchdog import EventLoopWatchdog
from app.ratelimit.limiter import RateLimiter
from app.services.live_sessions import LiveSessions
from app.services.security_log_storage import storing_events
from app.state import State


def make_lifespan(settings: Settings, metrics: Metrics) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Return the lifespan of an application, which yields the state of its requests.

    It raises AccessError before anything starts if an operation has no access level.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        read_operations(app.router)  # raises AccessError
        async with AsyncExitStack() as stack:
            yield await _start(stack, settings, metrics)

    return lifespan


async def _start(stack: AsyncExitStack, settings: Settings, metrics: Metrics) -> State:
    database = Database(settings)
    stack.push_async_callback(database.dispose)
    await _start_background_work(stack, settings, database)
    stack.enter_context(EventLoopWatchdog(settings.event_loop_block_seconds))
    passwords = stack.enter_context(PasswordHasher(settings))
    limiter = RateLimiter.from_settings(settings, metrics)
    stack.push_async_callback(limiter.close)
    sessions = LiveSessions(database, settings.session_cache_size)
    await stack.enter_async_context(sessions.listen_in_background())
    sampling = MetricsService(metrics, database)
    await stack.enter_async_context(sampling.sampling())
    return State(
        settings=settings,
        database=database,
        passwords=passwords,
        access_tokens=AccessTokens.from_settings(settings),
        limiter=limiter,
        sessions=sessions,
        health=HealthService(database),
        history=await _start_history(stack, settings, sampling),
        metrics=sampling,
    )


async def _start_history(stack: AsyncExitStack, settings: Settings, sampling: MetricsService) -> History | None:
    if not settings.is_development:
        return None
    history = History(sampling)
    await stack.enter_async_context(history.recording())
    return history


async def _start_background_work(stack: AsyncExitStack, settings: Settings, database: Database) -> None:
    await stack.enter_async_context(storing_events(database, settings.security_log_days))
    if not settings.runs_worker_in_process:
        return
    from app.jobs.runner import JobRunner, make_resources, running_jobs  # noqa: PLC0415  not in production

    runner = JobRunner(make_resources(settings, database))
    await stack.enter_async_context(running_jobs(runner))
