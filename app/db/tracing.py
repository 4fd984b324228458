"""A span for each statement, without values (OpenTelemetry's conventions for database clients)."""

import time
from typing import Any

from asyncpg.connection import LoggedQuery
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

SPAN = "_span"


class StatementTracer:
    """Creates spans in SQLAlchemy's events, because the instrumentation package does not support SQLAlchemy 2.1."""

    def __init__(self) -> None:
        """Trace with the provider that is configured."""
        self._tracer = trace.get_tracer("app.db")

    def start(self, statement: str, start_time: int | None = None) -> Span:
        """Open a span, now or at a time in nanoseconds since 1970."""
        operation = statement.split(None, 1)[0].upper()
        attributes = {"db.system.name": "postgresql", "db.operation.name": operation, "db.query.text": statement}
        return self._tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes, start_time=start_time)

    def begin(self, _connection: object, _cursor: object, statement: str, *arguments: Any) -> None:  # noqa: ANN401
        """Open the span of a statement of SQLAlchemy."""
        setattr(arguments[1], SPAN, self.start(statement))

    def end(self, *arguments: Any) -> None:  # noqa: ANN401  as SQLAlchemy calls
        """Close it."""
        getattr(arguments[4], SPAN).end()

    def fail(self, context: ExceptionContext) -> None:
        """Close it as failed."""
        span = getattr(context.execution_context, SPAN, None)
        if span is not None:
            end_with(span, context.original_exception)

    def note(self, query: LoggedQuery) -> None:
        """Create the span of a statement that asyncpg has run without SQLAlchemy."""
        end_with(self.start(query.query, time.time_ns() - int(query.elapsed * 1e9)), query.exception)


def end_with(span: Span, error: BaseException | None) -> None:
    """Close a span, with the SQLSTATE of an error."""
    if error is not None:
        span.set_attribute("error.type", getattr(error, "sqlstate", None) or "unknown")
        span.set_status(StatusCode.ERROR)
    span.end()


def trace_statements(engine: AsyncEngine) -> None:
    """Trace every statement of an engine."""
    tracer, target = StatementTracer(), engine.sync_engine
    event.listen(target, "connect", lambda own, _: own.driver_connection.add_query_logger(tracer.note))
    event.listen(target, "before_cursor_execute", tracer.begin)
    event.listen(target, "after_cursor_execute", tracer.end)
    event.listen(target, "handle_error", tracer.fail)
