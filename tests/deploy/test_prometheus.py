"""A real Prometheus (Debian: prometheus) scrapes the service, and evaluates every alert and every panel."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from app.core.config import Settings
from app.core.database_url import PROJECT_ROOT
from devtools.loopback import free_port
from tests.deploy.test_monitoring import expressions
from tests.processes import environment_of, serving

PROMETHEUS = shutil.which("prometheus")
WITHOUT_VALUES = ("http_requests_repeated", "rate_limit_", "pool_wait_seconds", "http_problems")
"""Series that begin with the first event."""


@contextmanager
def running_prometheus(folder: Path, target: int) -> Iterator[str]:
    """Run Prometheus with the configuration of deploy/, and with this service as its target; yield its address."""
    configuration = yaml.safe_load((PROJECT_ROOT / "deploy/prometheus/prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]
    job.update({"static_configs": [{"targets": [f"127.0.0.1:{target}"]}], "scrape_interval": "1s"})
    del job["dns_sd_configs"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    shutil.copy(PROJECT_ROOT / "deploy/prometheus/alerts.yaml", folder)
    address = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PROMETHEUS), *options, f"--web.listen-address={address}"], stdout=log, stderr=log
        )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


def query(address: str, expression: str) -> list[dict[str, Any]]:
    """Evaluate an expression; return its series."""
    answer = httpx2.get(f"{address}/api/v1/query", params={"query": expression.replace("$__rate_interval", "1m")})
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    series: list[dict[str, Any]] = answer.json()["data"]["result"]
    return series


def wait_for_samples(address: str) -> None:
    """Wait until the service was scraped three times, which a rate needs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            counted = query(address, "count_over_time(up[1m])")
            if counted and float(counted[0]["value"][1]) >= 3:
                return
        except (httpx2.TransportError, AssertionError):
            pass  # It is starting.
        time.sleep(0.2)
    pytest.fail("Prometheus did not scrape the service")


@pytest.mark.skipif(PROMETHEUS is None, reason="needs Prometheus (Debian: prometheus)")
def test_every_expression_has_values(settings: Settings, tmp_path: Path) -> None:
    """Those of events that have not happened are empty, and none is an error."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve"]
    with (
        serving(command, port=port, cwd=tmp_path, environment=environment_of(settings, port)),
        running_prometheus(tmp_path, port) as address,
    ):
        wait_for_samples(address)
        [up] = query(address, 'up{job="dayone"}')
        assert up["value"][1] == "1"
        empty = [text for text in expressions() if ">" not in text and "==" not in text and not query(address, text)]
        assert [text for text in empty if not any(part in text for part in WITHOUT_VALUES)] == []
        rules = httpx2.get(f"{address}/api/v1/rules").json()["data"]["groups"]
        assert [rule for group in rules for rule in group["rules"] if rule["health"] == "err"] == []
        for text in expressions():
            query(address, text)
