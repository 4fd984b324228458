"""The files in which worker processes count, in separate processes because prometheus_client has one global setting."""

import subprocess
import sys
import textwrap

from app.core.database_url import PROJECT_ROOT

SLOTS = """
        import os
        from app.observability import metrics_files
        folder = metrics_files.reserve(1)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from app.core.config import Settings
        from app.observability.metrics import Metrics
        metrics = Metrics(Settings(_env_file=None))
        before = {file.name: file.stat().st_size for file in folder.iterdir()}
        for _ in range(3):
            metrics_files.enter_slot(0)
            metrics.request_done("GET", "/", 200, 0.1)
            metrics.memory.set(5)
            metrics_files.enter_slot(1)  # what a fork would do: the slot of before is let go of
            metrics_files.enter_slot(0)
            metrics_files.leave_slot(folder, 0)
        lines = metrics.expose().decode().splitlines()
        print([line for line in lines if line.startswith(("http_requests_total", "worker_resident"))])
        after = {file.name: file.stat().st_size for file in folder.iterdir() if "_1.db" not in file.name}
        print(before == after)
        metrics_files.release(folder)
        print(folder.exists())
    """


def run(program: str) -> str:
    """Run a program; return its output."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True, text=True).stdout.strip()


def test_without_space_nothing_is_reserved() -> None:
    """The service starts, and each worker counts for itself."""
    program = """
        import resource, signal
        from app.observability.metrics_files import reserve
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        print(reserve(2))
    """
    assert run(program) == "None"


def test_a_worker_goes_on_where_the_one_before_it_ended() -> None:
    """Counters of the slot continue, gauges start at zero, and no file is added."""
    shown = run(SLOTS).splitlines()
    assert 'http_requests_total{method="GET",route="/",status="200"} 3.0' in shown[0]
    assert "worker_resident_memory_bytes 0.0" in shown[0]
    assert shown[1:] == ["True", "False"]
