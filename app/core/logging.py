"""Logging: structlog on top of the standard library; one JSON object per line outside development."""

import json
import logging.config
import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

import structlog

from app.core.config import Settings
from app.core.log_sink import NonBlockingHandler, SinkLogger
from app.core.telemetry import add_trace_ids, report_error

log = structlog.get_logger(__name__)

SHARED_PROCESSORS: tuple[structlog.types.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

JSON = json.JSONEncoder(default=repr)
PASSED_ON: dict[str, Any] = {"handlers": [], "propagate": True}
LOGGERS: dict[str, dict[str, Any]] = {
    "uvicorn": PASSED_ON,
    "uvicorn.error": PASSED_ON,
    "gunicorn.error": PASSED_ON,
    # middleware/logging.py writes the access log.
    "uvicorn.access": {"handlers": [], "propagate": False},
    # SQLAlchemy logs for a pool class under the module of that class.
    "app.db.pool": {"level": "WARNING"},
    # At DEBUG these would log every step, and what users have typed.
    "python_multipart": {"level": "WARNING"},
    "asyncio": {"level": "INFO"},
}


def _drop_color_message(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # uvicorn repeats each message there, with terminal colours.
    event.pop("color_message", None)
    return event


def _render_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    # structlog's renderer creates an encoder for each line.
    return JSON.encode(event)


def _renderers(settings: Settings) -> tuple[structlog.types.Processor, ...]:
    # Stacks have no local variables in either format: these contain passwords and tokens.
    if settings.is_development:
        formatter = structlog.dev.plain_traceback
        return (structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=formatter),)
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return (
        structlog.processors.ExceptionRenderer(tracebacks),
        _render_json,
    )


def _formatter(settings: Settings) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*SHARED_PROCESSORS, _drop_color_message],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings)],
    }


def toggle_debug(settings: Settings) -> None:
    """Switch debug messages on, or back to LOG_LEVEL, on SIGUSR1."""
    root = logging.getLogger()
    root.setLevel(settings.log_level if root.level == logging.DEBUG else logging.DEBUG)
    log.warning("log level changed", log_level=logging.getLevelName(root.level))


def configure_logging(settings: Settings) -> None:
    """Send all records, those of libraries included, to standard output in one format."""
    output = {"class": "app.core.log_sink.NonBlockingHandler", "stream": "ext://sys.stdout", "formatter": "structlog"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"structlog": _formatter(settings)},
            "handlers": {"stdout": output},
            "root": {"handlers": ["stdout"], "level": settings.log_level},
            "loggers": {
                **LOGGERS,
                "sqlalchemy.engine": {"level": "INFO" if settings.debug else "WARNING"},
            },
        }
    )
    _configure_structlog(settings)


def _configure_structlog(settings: Settings) -> None:
    processors = [
        structlog.stdlib.filter_by_level,
        *SHARED_PROCESSORS,
        *([add_trace_ids] if settings.otel_exporter_otlp_endpoint else []),
        *([report_error] if settings.sentry_dsn else []),
    ]
    factory: Callable[..., Any] = structlog.stdlib.LoggerFactory()
    if settings.is_development:
        processors.append(structlog.stdlib.ProcessorFormatter.wrap_for_formatter)
    else:
        [sink] = [handler for handler in logging.getLogger().handlers if isinstance(handler, NonBlockingHandler)]
        factory = partial(SinkLogger, sink=sink)
        processors.extend(_renderers(settings))
    structlog.configure(
        processors=processors,
        logger_factory=factory,
        # The first processor checks the level, because SIGUSR1 changes it.
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        cache_logger_on_first_use=True,
    )
