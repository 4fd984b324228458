"""Measure what the metrics add to a request, with the files of several processes.

Usage: `.venv/bin/python -m benchmarks.metrics_cost`.
"""

import os
import tempfile
import time

ROUNDS = 100_000


def main() -> None:
    """Count requests as the middleware does, and a hit on a rate limit."""
    with tempfile.TemporaryDirectory() as folder:
        # Before the import, when prometheus_client reads the variable.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from app.core.config import load_settings  # noqa: PLC0415
        from app.observability.metrics import Metrics  # noqa: PLC0415

        metrics = Metrics(load_settings())
        started = time.perf_counter()
        for _ in range(ROUNDS):
            metrics.requests_in_flight += 1
            metrics.requests_in_flight -= 1
            metrics.request_done("GET", "/api/v1/notes", 200, 0.01)
            metrics.limits.labels("default").inc()
        print(f"{(time.perf_counter() - started) / ROUNDS * 1e6:.1f} microseconds a request")


if __name__ == "__main__":
    main()
