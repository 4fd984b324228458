"""A span for each statement (OpenTelemetry's conventions for database clients); values are no part of it."""

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

SPAN = "_span"


def trace_statements(engine: AsyncEngine) -> None:
    """Trace every statement of an engine. By events: the instrumentation package refuses SQLAlchemy 2.1."""
    tracer = trace.get_tracer("app.db")

    def begin(_connection: object, _cursor: object, statement: str, *arguments: Any) -> None:  # noqa: ANN401
        operation = statement.split(None, 1)[0].upper()
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": statement,
        }
        context = arguments[1]
        setattr(context, SPAN, tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes))

    def end(*arguments: Any) -> None:  # noqa: ANN401  as SQLAlchemy calls
        getattr(arguments[4], SPAN).end()

    def fail(context: ExceptionContext) -> None:
        span = getattr(context.execution_context, SPAN, None)
        if span is not None:
            span.set_attribute("error.type", getattr(context.original_exception, "sqlstate", None) or "unknown")
            span.set_status(StatusCode.ERROR)
            span.end()

    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", fail)
