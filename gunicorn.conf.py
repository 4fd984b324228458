"""How production serves: gunicorn, as many uvicorn workers as WEB_CONCURRENCY says, settings from the environment."""

from typing import Any

from uvicorn_worker import UvicornWorker

from app.core.config import load_settings
from app.core.logging import configure_logging

settings = load_settings()


class Worker(UvicornWorker):  # type: ignore[misc]  # the package is not typed
    """A uvicorn worker that leaves logging to us."""

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012  declared so by the parent
        "loop": "uvloop",
        # The stricter of uvicorn's parsers: h11 accepts Content-Length beside Transfer-Encoding.
        "http": "httptools",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": settings.shutdown_timeout_seconds,
    }


def on_starting(_arbiter: object) -> None:
    """Write gunicorn's own messages in our format."""
    configure_logging(settings)


def post_worker_init(_worker: object) -> None:
    """Take uvicorn's loggers back: the worker has pointed them at gunicorn's handlers."""
    configure_logging(settings)


bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = Worker
preload_app = True
graceful_timeout = settings.shutdown_timeout_seconds
timeout = 30
# Memory that a library loses is given back now and then, and never by all workers at once.
max_requests = 200_000
max_requests_jitter = 20_000
keepalive = 5
forwarded_allow_ips = settings.forwarded_allow_ips
control_socket_disable = True  # nobody uses it, and it would listen
