"""The configuration of gunicorn: WEB_CONCURRENCY uvicorn workers."""

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
# Twice the workers, because SIGHUP starts the new ones before the old ones end.
METRICS_FOLDER = metrics_files.reserve(2 * settings.web_concurrency)
if METRICS_FOLDER:  # Otherwise each worker counts for itself, and metrics_complete is 0.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_FOLDER)


class Worker(UvicornWorker):  # type: ignore[misc]  # the package is not typed
    """A uvicorn worker with our logging, which drains before it stops."""

    slot: int

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012  declared so by the parent
        "loop": "uvloop",
        # On httptools, the stricter of uvicorn's parsers: h11 accepts Content-Length together with Transfer-Encoding.
        "http": partial(HeadLimitProtocol, head_seconds=settings.receive_timeout_seconds),
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # A second before gunicorn kills the worker, so that cancelled requests can roll back.
        "timeout_graceful_shutdown": settings.shutdown_timeout_seconds - settings.shutdown_drain_seconds - 1,
    }

    def handle_usr1(self, _number: int, _frame: object) -> None:
        """Switch debug messages on or off, instead of gunicorn's reopening of log files."""
        toggle_debug(settings)

    async def _serve(self) -> None:
        # Like the parent, with another server.
        self.config.app = self.wsgi
        server = DrainingServer(self.config, settings.shutdown_drain_seconds, has_siblings=settings.web_concurrency > 1)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


def on_starting(_arbiter: object) -> None:
    """Log gunicorn's messages in our format."""
    configure_logging(settings)


def pre_fork(arbiter: Arbiter, worker: Worker) -> None:
    """Assign the lowest free slot to a worker."""
    taken = {other.slot for other in arbiter.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)


def post_fork(_arbiter: object, worker: Worker) -> None:
    """Use the metrics files of the slot."""
    metrics_files.enter_slot(worker.slot)


def child_exit(_arbiter: object, worker: Worker) -> None:
    """Reset the gauges of a worker that has ended; its counters stay."""
    if METRICS_FOLDER:
        metrics_files.leave_slot(METRICS_FOLDER, worker.slot)


def on_exit(_arbiter: object) -> None:
    """Delete the metrics files."""
    if METRICS_FOLDER:
        metrics_files.release(METRICS_FOLDER)


def post_worker_init(_worker: object) -> None:
    """Restore our logging, which the worker has replaced by gunicorn's, and freeze loaded modules."""
    configure_logging(settings)
    # Modules never become garbage. Scanning them costs a tenth of the CPU, and copies memory that workers share.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


bind = f"{settings.host}:{settings.port}"
workers = settings.web_concurrency
worker_class = Worker
preload_app = True
graceful_timeout = settings.shutdown_timeout_seconds
timeout = 30
# Recycling returns memory that libraries leak. The jitter avoids recycling all workers at the same time.
max_requests = settings.recycle_after_requests
max_requests_jitter = settings.recycle_after_requests // 10
# Longer than load balancers keep a connection (mostly 60 s): if the server closed first, requests would fail.
keepalive = 75
forwarded_allow_ips = settings.forwarded_allow_ips
control_socket_disable = True  # not used, and it would listen
