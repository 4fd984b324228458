"""The application factory."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.api import docs, health
from app.api import metrics as metrics_api
from app.api.errors import install_error_handlers, render_exception
from app.api.openapi import install_openapi
from app.api.v1 import router as v1
from app.api.v2 import router as v2
from app.api.versions import deprecation
from app.core.config import Settings, load_settings
from app.core.hit_counters import Limit
from app.core.logging import configure_logging
from app.core.metrics import Metrics
from app.core.passwords import PasswordHasher
from app.core.rate_limit import RateLimiter
from app.core.security import AccessTokens
from app.core.telemetry import configure_telemetry
from app.core.watchdog import EventLoopWatchdog
from app.db.database import Database
from app.dependencies import State
from app.middleware.catch_all import CatchAllMiddleware
from app.middleware.concurrency_limit import ConcurrencyLimitMiddleware
from app.middleware.deadline import DeadlineMiddleware
from app.middleware.logging import RequestContextMiddleware
from app.middleware.normalization import NormalizationMiddleware
from app.middleware.probes import ProbesMiddleware
from app.middleware.rate_limit import RateLimitMiddleware
from app.middleware.receiving import ReceivingMiddleware
from app.middleware.retry import RetryMiddleware
from app.middleware.security_headers import SecurityHeadersMiddleware
from app.middleware.size_limits import MAXIMUM_FORM_FIELDS, SizeLimitsMiddleware
from app.middleware.trusted_hosts import TrustedHostsMiddleware
from app.services.health_service import HealthService
from app.services.live_sessions import LiveSessions
from app.services.metrics_service import MetricsService

OPENAPI_PATH = "/api/openapi.json"
TAGS = [
    {"name": "items", "description": "The exemplary resource: what somebody owns."},
    {"name": "users", "description": "Accounts."},
    {"name": "auth", "description": "Tokens, sessions, and links from mails."},
    {"name": "admin", "description": "The job queue, for administrators."},
    {"name": "health", "description": "What probes and balancers ask."},
]
CONDITIONS = ("If-Match", "If-None-Match")
DESCRIPTION = "Accounts, items and health, in two versions."


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function: that is what generated clients call."""
    return route.name


def cors(settings: Settings) -> list[Middleware]:
    """Let pages of known origins call the API, where there are any."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", *CONDITIONS, "Idempotency-Key", "X-Request-ID"],
            expose_headers=["ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
        )
    ]


def middleware(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """Stack the middleware, outermost first."""
    return [
        # First, so that everything below logs with the request id and every answer carries it.
        Middleware(RequestContextMiddleware, metrics=metrics),
        # Outside whatever can refuse, so that refusals carry them too.
        Middleware(
            SecurityHeadersMiddleware,
            docs_paths=docs.PATHS,
            https_only=settings.public_url.startswith("https:"),
        ),
        # Inside the access line, which shows what the client wrote.
        Middleware(NormalizationMiddleware),
        *deprecation(settings),
        # Outside the catch-all: without these headers a browser hides a 500 from the page that asked.
        *cors(settings),
        # Turns what is raised below, domain errors included, into answers.
        Middleware(CatchAllMiddleware, render=render_exception),
        Middleware(ProbesMiddleware, answers={**health.ANSWERS, **metrics_api.ANSWERS}),
        Middleware(
            DeadlineMiddleware,
            answer_seconds=settings.request_timeout_seconds,
            receive_seconds=settings.receive_timeout_seconds,
        ),
        Middleware(TrustedHostsMiddleware, hosts=settings.served_hosts, addresses=settings.is_development),
        Middleware(SizeLimitsMiddleware, maximum_body_bytes=settings.max_body_bytes),
        # Before the place that a request takes, which a slow body would hold.
        Middleware(ReceivingMiddleware, maximum=settings.max_concurrent_requests),
        Middleware(ConcurrencyLimitMiddleware, maximum=settings.max_concurrent_requests),
        Middleware(RateLimitMiddleware, limit=Limit("default", settings.rate_limit_per_minute, 60)),
        Middleware(RetryMiddleware, metrics=metrics),
    ]


def make_lifespan(settings: Settings, metrics: Metrics) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    """Make what lives as long as the process, and let go of it at the end."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        database = Database(settings)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.dispose)
            if settings.runs_worker_in_process:
                from app.jobs.runner import JobRunner, make_resources, running_jobs  # noqa: PLC0415  not in production

                runner = JobRunner(make_resources(settings, database))
                await stack.enter_async_context(running_jobs(runner))
            stack.enter_context(EventLoopWatchdog(settings.event_loop_block_seconds))
            passwords = stack.enter_context(PasswordHasher(settings))
            limiter = RateLimiter.from_settings(settings, metrics)
            stack.push_async_callback(limiter.close)
            sessions = LiveSessions(database, settings.session_cache_size)
            await stack.enter_async_context(sessions.listening())
            measuring = MetricsService(metrics, database)
            await stack.enter_async_context(measuring.sampling())
            yield State(
                settings=settings,
                database=database,
                passwords=passwords,
                access_tokens=AccessTokens.from_settings(settings),
                limiter=limiter,
                sessions=sessions,
                health=HealthService(database),
                metrics=measuring,
            )

    return lifespan


def create_application(settings: Settings | None = None) -> FastAPI:
    """Build the service; without settings they are read from the environment."""
    settings = settings or load_settings()
    configure_logging(settings)
    configure_telemetry(settings)
    metrics = Metrics(settings)
    application = FastAPI(
        title=settings.project_name,
        version=settings.version,
        description=DESCRIPTION,
        contact={"name": settings.project_name},
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/"}],
        openapi_tags=TAGS,
        openapi_url=OPENAPI_PATH if settings.has_docs else None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        middleware=middleware(settings, metrics),
        lifespan=make_lifespan(settings, metrics),
        redirect_slashes=False,
        form_limits={"max_fields": MAXIMUM_FORM_FIELDS, "max_files": 0},
        # Spans of requests, where configure_telemetry has made a provider; the rest is ours.
        telemetry={"tracing": True, "metrics": False, "logs": False, "operation_spans": False},
    )
    install_error_handlers(application)
    install_openapi(application)
    # Routes are tried in order: the busiest first.
    application.include_router(v1.router, prefix=v1.PREFIX)
    application.include_router(v2.router, prefix=v2.PREFIX)
    application.include_router(health.router)
    application.include_router(metrics_api.router)
    if settings.has_docs:
        docs.install(application, OPENAPI_PATH)
    return application


app = create_application()
