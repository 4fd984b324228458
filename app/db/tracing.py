"""A span for each statement (OpenTelemetry's conventions for database clients); values are no part of it."""

import time
from typing import Any

from asyncpg.connection import LoggedQuery
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

SPAN = "_span"


def trace_statements(engine: AsyncEngine) -> None:
    """Trace every statement of an engine. By events: the instrumentation package refuses SQLAlchemy 2.1."""
    tracer = trace.get_tracer("app.db")

    def start(statement: str, start_time: int | None = None) -> Span:
        operation = statement.split(None, 1)[0].upper()
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": statement,
        }
        return tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes, start_time=start_time)

    def begin(_connection: object, _cursor: object, statement: str, *arguments: Any) -> None:  # noqa: ANN401
        setattr(arguments[1], SPAN, start(statement))

    def end(*arguments: Any) -> None:  # noqa: ANN401  as SQLAlchemy calls
        getattr(arguments[4], SPAN).end()

    def fail(context: ExceptionContext) -> None:
        span = getattr(context.execution_context, SPAN, None)
        if span is not None:
            note_error(span, context.original_exception)
            span.end()

    def note_run(query: LoggedQuery) -> None:
        span = start(query.query, time.time_ns() - int(query.elapsed * 1e9))
        if query.exception is not None:
            note_error(span, query.exception)
        span.end()

    # What asyncpg runs without SQLAlchemy: prepared statements, BEGIN and COMMIT.
    event.listen(engine.sync_engine, "connect", lambda own, _: own.driver_connection.add_query_logger(note_run))
    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", fail)


def note_error(span: Span, error: BaseException) -> None:
    """Mark a span as failed, by SQLSTATE."""
    span.set_attribute("error.type", getattr(error, "sqlstate", None) or "unknown")
    span.set_status(StatusCode.ERROR)
