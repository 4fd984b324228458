"""OpenTelemetry traces and Sentry error reports; not imported unless configured."""

import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from app.core.config import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

ERRORS = ("error", "critical")


def configure_telemetry(settings: Settings) -> None:
    """Send spans to OTEL_EXPORTER_OTLP_ENDPOINT and errors to SENTRY_DSN, if these are set."""
    is_unset = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    if settings.otel_exporter_otlp_endpoint and is_unset:
        _send_spans(settings, settings.otel_exporter_otlp_endpoint)
    if settings.sentry_dsn:
        _send_errors(settings, settings.sentry_dsn.get_secret_value())


def _send_spans(settings: Settings, endpoint: str) -> None:
    # Imported here, because a process without traces does not need these megabytes.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    service = {
        "service.name": settings.project_name,
        "service.version": settings.version,
        "deployment.environment.name": settings.environment.value,
    }
    provider = TracerProvider(resource=Resource.create(service))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def _send_errors(settings: Settings, dsn: str) -> None:
    import sentry_sdk  # noqa: PLC0415  as above

    sentry_sdk.init(
        dsn,
        environment=settings.environment.value,
        release=settings.version,
        # Requests, local variables, breadcrumbs and messages may contain what users typed: only types and stacks are
        # sent. Errors come from the log, so nothing needs to be patched.
        data_collection={"user_info": False, "http_bodies": [], "stack_frame_variables": False},
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        before_send=_leave_out_messages,
    )


def _leave_out_messages(event: "Event", _hint: "Hint") -> "Event":
    for exception in event.get("exception", {"values": []})["values"]:
        exception["value"] = ""
    return event


def report_error(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Report errors that are logged with an exception, with the request id. A structlog processor."""
    error = event.get("exc_info")
    if error and event.get("level") in ERRORS:
        import sentry_sdk  # noqa: PLC0415  only added to the chain where errors are sent

        with sentry_sdk.new_scope() as scope:
            scope.set_tag("request_id", event.get("request_id"))
            scope.capture_exception(sys.exc_info() if error is True else error)
    return event


def add_trace_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the current span (W3C Trace Context) to a line. A structlog processor."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return event
