"""The application factory."""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.api import health
from app.api import metrics as metrics_api
from app.api.errors import install_error_handlers, render_exception
from app.api.openapi import install_openapi
from app.api.v1 import router as v1
from app.api.v2 import router as v2
from app.api.versions import deprecation
from app.browser.session import CSRF_HEADER
from app.core.config import Settings, load_settings
from app.core.logging import configure_logging
from app.core.telemetry import configure_telemetry
from app.lifespan import make_lifespan
from app.middleware.capacity import ConcurrencyLimitMiddleware, ReceivingMiddleware
from app.middleware.deadline import DeadlineMiddleware
from app.middleware.failures import CatchAllMiddleware, RetryMiddleware
from app.middleware.headers import SecurityHeadersMiddleware
from app.middleware.logging import RequestContextMiddleware
from app.middleware.paths import NormalizationMiddleware, ProbesMiddleware
from app.middleware.rate_limit import RateLimitMiddleware
from app.middleware.size_limits import MAXIMUM_FORM_FIELDS, SizeLimitsMiddleware
from app.middleware.trusted_hosts import TrustedHostsMiddleware
from app.observability.metrics import Metrics
from app.pages import assets
from app.pages.admin.router import include_administration
from app.pages.router import include_pages
from app.ratelimit.counters import Limit

CONDITIONS = ("If-Match", "If-None-Match")
DESCRIPTION = "Accounts, sessions and the resources of the service, in two versions."


def operation_id(route: APIRoute) -> str:
    """Return the name of the function as operation id: generated clients use it as a method name."""
    return route.name


def cors(settings: Settings) -> list[Middleware]:
    """Return the CORS middleware, if any origin is allowed."""
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            # Not with the wildcard, which development allows: every site could read what a cookie gives access to.
            allow_credentials="*" not in settings.allowed_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                *CONDITIONS,
                "Idempotency-Key",
                CSRF_HEADER,
                "X-Request-ID",
            ],
            expose_headers=["ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
        )
    ]


def middleware(settings: Settings, metrics: Metrics) -> list[Middleware]:
    """Return the middleware, outermost first (decision 3)."""
    return [
        # First, so that every log line and every response has the request id.
        Middleware(RequestContextMiddleware, metrics=metrics),
        # Outside everything that can refuse, so that error responses have them, too.
        Middleware(SecurityHeadersMiddleware, https_only=settings.is_https_only),
        # Inside the access log, which shows the path as the client sent it.
        Middleware(NormalizationMiddleware),
        *deprecation(settings),
        # Outside the catch-all: without these headers a browser hides a 500 from the page.
        *cors(settings),
        # Renders exceptions, domain errors included, as responses.
        Middleware(CatchAllMiddleware, render=render_exception),
        Middleware(ProbesMiddleware, answers={**health.ANSWERS, **metrics_api.ANSWERS}),
        Middleware(
            DeadlineMiddleware,
            answer_seconds=settings.request_timeout_seconds,
            receive_seconds=settings.receive_timeout_seconds,
        ),
        Middleware(TrustedHostsMiddleware, hosts=settings.served_hosts, addresses=settings.is_development),
        Middleware(SizeLimitsMiddleware, maximum_body_bytes=settings.max_body_bytes),
        # Before the concurrency limit: a slow body must not take a place.
        Middleware(ReceivingMiddleware, maximum=settings.max_concurrent_requests),
        Middleware(ConcurrencyLimitMiddleware, maximum=settings.max_concurrent_requests),
        Middleware(RateLimitMiddleware, limit=Limit("default", settings.rate_limit_per_minute, 60)),
        Middleware(RetryMiddleware, metrics=metrics),
    ]


def create_application(settings: Settings | None = None) -> FastAPI:
    """Return the application. Settings are read from the environment by default."""
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
        openapi_url=None,  # `app/api/docs.py` serves it.
        generate_unique_id_function=operation_id,
        middleware=middleware(settings, metrics),
        lifespan=make_lifespan(settings, metrics),
        redirect_slashes=False,
        form_limits={"max_fields": MAXIMUM_FORM_FIELDS, "max_files": 0},
        # Spans of requests, if configure_telemetry has set a provider; the rest is our own code.
        telemetry={"tracing": True, "metrics": False, "logs": False, "operation_spans": False},
    )
    install_error_handlers(application)
    install_openapi(application)
    include_routers(application, settings)
    return application


def include_routers(application: FastAPI, settings: Settings) -> None:
    """Include all routers that the settings allow."""
    # Routes are tried in order: the busiest first.
    if settings.admin_pages != "only":
        include_api(application)
        include_pages(application, settings)
    application.include_router(health.router)
    application.include_router(metrics_api.router)
    application.include_router(assets.router)
    include_administration(application, settings)


def include_api(application: FastAPI) -> None:
    """Include all versions of the API."""
    application.include_router(v1.router, prefix=v1.PREFIX)
    application.include_router(v2.router, prefix=v2.PREFIX)


app = create_application()
