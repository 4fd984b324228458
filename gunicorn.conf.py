"""Gunicorn in production: WEB_CONCURRENCY uvicorn workers, with settings from the environment."""

import gc
import os
import sys
from functools import partial
from itertools import count
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

from app.core.config import load_settings
from app.core.logging import configure_logging, toggle_debug
from app.observability import metrics_files
from app.server import DrainingServer, HeadLimitProtocol

settings = load_settings()
# Twice the workers: SIGHUP starts the new ones before the old ones end.
METRICS_FOLDER = metrics_files.reserve(2 * settings.web_concurrency)
if METRICS_FOLDER:  # Otherwise each worker counts for itself, and metrics_complete says so.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_FOLDER)


class Worker(UvicornWorker):  # type: ignore[misc]  # the package is not typed
    """A uvicorn worker that leaves logging to us and drains before it stops."""

    slot: int

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012  declared so by the parent
        "loop": "uvloop",
        # On httptools, the stricter of uvicorn's parsers: h11 accepts Content-Length beside Transfer-Encoding.
        "http": partial(HeadLimitProtocol, head_seconds=settings.receive_timeout_seconds),
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # A second before gunicorn kills, so that what is cancelled can still roll back.
        "timeout_graceful_shutdown": settings.shutdown_timeout_seconds - settings.shutdown_drain_seconds - 1,
    }

    def handle_usr1(self, _number: int, _frame: object) -> None:
        """Turn debug messages on or off; gunicorn's own meaning, other log files, is nothing to us."""
        toggle_debug(settings)

    async def _serve(self) -> None:
        # As the parent does, with another server.
        self.config.app = self.wsgi
        server = DrainingServer(self.config, settings.shutdown_drain_seconds)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


def on_starting(_arbiter: object) -> None:
    """Write gunicorn's own messages in our format."""
    configure_logging(settings)


def pre_fork(arbiter: Arbiter, worker: Worker) -> None:
    """Give a worker the lowest slot that is free."""
    taken = {other.slot for other in arbiter.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)


def post_fork(_arbiter: object, worker: Worker) -> None:
    """Count in the files of the slot."""
    metrics_files.enter_slot(worker.slot)


def child_exit(_arbiter: object, worker: Worker) -> None:
    """Reset the gauges of a worker that has ended; what it has counted stays."""
    if METRICS_FOLDER:
        metrics_files.leave_slot(METRICS_FOLDER, worker.slot)


def on_exit(_arbiter: object) -> None:
    """Leave nothing behind."""
    if METRICS_FOLDER:
        metrics_files.release(METRICS_FOLDER)


def post_worker_init(_worker: object) -> None:
    """Take uvicorn's loggers back, which the worker has pointed at gunicorn's handlers; leave what is loaded alone."""
    configure_logging(settings)
    # Modules never become garbage: looking through them again and again costs a tenth of the CPU, and unshares their
    # memory with the other workers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = Worker
preload_app = True
graceful_timeout = settings.shutdown_timeout_seconds
timeout = 30
# Memory that a library loses is given back now and then, and never by all workers at once.
max_requests = settings.recycle_after_requests
max_requests_jitter = settings.recycle_after_requests // 10
# Longer than balancers keep a connection (mostly 60 s): whoever closes first spoils a request of the other.
keepalive = 75
forwarded_allow_ips = settings.forwarded_allow_ips
control_socket_disable = True  # nobody uses it, and it would listen
