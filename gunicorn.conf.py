"""How production serves: gunicorn, as many uvicorn workers as WEB_CONCURRENCY says, settings from the environment."""

import gc
import os
import shutil
import sys
import tempfile
from functools import partial
from typing import Any

# Before the imports below: prometheus_client looks at it once, to choose where the counts of several processes live.
METRICS_DIRECTORY = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="metrics-")

from gunicorn.arbiter import Arbiter
from prometheus_client.multiprocess import mark_process_dead
from uvicorn_worker import UvicornWorker

from app.core.config import load_settings
from app.core.logging import configure_logging, toggle_debug
from app.server import DrainingServer, HeadLimitProtocol

settings = load_settings()


class Worker(UvicornWorker):  # type: ignore[misc]  # the package is not typed
    """A uvicorn worker that leaves logging to us and drains before it stops."""

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


def child_exit(_arbiter: object, worker: Worker) -> None:
    """Forget the gauges of a worker that is gone; what it has counted stays counted."""
    mark_process_dead(worker.pid)


def on_exit(_arbiter: object) -> None:
    """Leave nothing behind."""
    shutil.rmtree(METRICS_DIRECTORY, ignore_errors=True)


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
