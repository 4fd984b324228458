"""Prometheus metrics.

With several worker processes the values are in files of the folder PROMETHEUS_MULTIPROC_DIR, which gunicorn.conf.py
creates, and each process returns the metrics of all.
"""

import os
import platform
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.core.config import Settings

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Increment = Callable[[], None]
Observe = Callable[[float], None]


class Metrics:
    """All metrics of the service."""

    def __init__(self, settings: Settings) -> None:
        """Register the metrics in a new registry."""
        self.registry = CollectorRegistry()
        self._children: dict[tuple[str, str, int], tuple[Increment, Observe]] = {}
        self._requests = self._counter("http_requests", "Completed requests", "method", "route", "status")
        self._seconds = self._histogram("http_request_duration_seconds", "Time to answer", LATENCY_BUCKETS, "route")
        self.requests_in_flight = 0
        """A number, sampled each second: a gauge would need two more writes to a file for each request."""
        self._in_flight = self._gauge("http_requests_in_flight", "Requests being served")
        self.problems = self._counter("http_problems", "Errors, by the code of the problem", "code")
        self.repeated = self._counter("http_requests_repeated", "Requests retried after a rollback")
        self.limits = self._counter("rate_limit_refusals", "Requests that a rate limit refused", "limit")
        self.limits_alone = self._counter("rate_limit_fallbacks", "Switches to the counter of the process")
        self.pool_size = self._gauge("database_pool_size", "Maximum number of connections of the pools")
        self.pool_in_use = self._gauge("database_pool_in_use", "Connections in use")
        self.pool_waiting = self._gauge("database_pool_waiting", "Requests that wait for a connection")
        self.pool_waits = self._counter("database_pool_waits", "Waits for a connection")
        self.pool_wait_seconds = self._counter("database_pool_wait_seconds", "Time spent waiting for connections")
        self.loop_lag = self._histogram("event_loop_lag_seconds", "How late a timer fires", LAG_BUCKETS)
        self.memory = self._gauge("worker_resident_memory_bytes", "Memory of the worker processes")
        self.jobs = self._gauge("jobs", "Jobs in the queue, by state", "state", mode="mostrecent")
        self.oldest_job = self._gauge("jobs_oldest_due_seconds", "Age of the oldest job that is due", mode="mostrecent")
        self._describe(settings)

    def _describe(self, settings: Settings) -> None:
        build = self._gauge("build_info", "The version that runs", "version", "environment", "python", mode="max")
        complete = self._gauge("metrics_complete", "Whether every worker process is included", mode="max")
        complete.set(settings.web_concurrency == 1 or MULTIPROCESS_VARIABLE in os.environ)
        build.labels(settings.version, settings.environment.value, platform.python_version()).set(1)

    def completed_requests(self) -> float:
        """Return the number of requests that this process has completed."""
        samples = [sample for family in self._requests.collect() for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name.endswith("_total"))

    def request_done(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request; `route` is the template of its path, or None if no route matched."""
        key = (method if method in METHODS else "other", route or "unmatched", status)
        child = self._children.get(key)
        if child is None:
            labels = (*key[:2], str(status))
            child = (self._requests.labels(*labels).inc, self._seconds.labels(key[1]).observe)
            self._children[key] = child
        count, observe = child
        count()
        observe(seconds)

    def note_in_flight(self) -> None:
        """Set the gauge of requests in progress."""
        self._in_flight.set(self.requests_in_flight)

    def expose(self) -> bytes:
        """Return the metrics as text (exposition format 0.0.4)."""
        self.note_in_flight()
        registry = self.registry
        if MULTIPROCESS_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package has it so
        return generate_latest(registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

    def _gauge(self, name: str, text: str, *labels: str, mode: Any = "livesum") -> Gauge:  # noqa: ANN401  a Literal
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)
