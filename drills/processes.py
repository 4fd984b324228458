"""The processes of a drill: the service and nginx."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from app.core.database_url import PROJECT_ROOT
from devtools.loopback import free_port
from tests.notes.application import SERVE

PATIENCE_SECONDS = 30.0
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream service {{
        {servers}
        keepalive 32;
        keepalive_timeout 1s;  # less than SHUTDOWN_DRAIN_SECONDS: none is left when the service closes
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_next_upstream error timeout;
            proxy_connect_timeout 1s;
        }}
    }}
}}
"""


class Service:
    """A process of the service: `serve`, with notes and its worker processes, or `worker`."""

    def __init__(self, folder: Path, name: str, command: str, environment: Mapping[str, str]) -> None:
        """Prepare it. Nothing runs yet."""
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"{name}.log"
        self._command = SERVE if command == "serve" else [sys.executable, "-m", "app", command]
        # As `python -m app serve` sets it.
        malloc = {"MALLOC_MMAP_THRESHOLD_": "1048576"}
        self.environment = {**os.environ, **malloc, **environment, "PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start without waiting for it to be ready."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=PROJECT_ROOT, env=self.environment, stdout=log, stderr=log
            )

    async def started(self) -> None:
        """Start, and wait until it is ready."""
        self.start()
        await self.wait_for("/health/ready")

    async def wait_for(self, path: str, status: int = 200) -> float:
        """Send requests until a response has this status; return the time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        async with httpx2.AsyncClient(base_url=self.address) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(path)).status_code == status:
                        return time.monotonic()
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.02)
        raise TimeoutError(f"{self.address}{path} did not answer {status}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started."""
        assert self.process
        self.process.send_signal(number)

    def workers(self) -> list[int]:
        """Return the ids of its child processes."""
        assert self.process
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    async def exited(self) -> int:
        """Wait for the end; return the exit code."""
        assert self.process
        return await asyncio.to_thread(self.process.wait, PATIENCE_SECONDS)

    async def stopped(self) -> int:
        """Send SIGTERM and wait for the end; return the exit code."""
        self.signal(signal.SIGTERM)
        return await self.exited()

    def kill(self) -> None:
        """Kill it and its workers."""
        if self.process and self.process.poll() is None:
            for pid in [*self.workers(), self.process.pid]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()


class Nginx:
    """A load balancer for several services, configured as `docs/reliability.md` says."""

    def __init__(self, folder: Path, services: list[Service]) -> None:
        """Write its configuration."""
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        servers = "\n        ".join(f"server 127.0.0.1:{service.port} max_fails=0;" for service in services)
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(NGINX.format(folder=folder, servers=servers, port=self.port))
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_installed() -> bool:
        """Return whether nginx is installed."""
        return shutil.which("nginx", path=SEARCH_PATH) is not None

    def start(self) -> None:
        """Start it."""
        nginx = shutil.which("nginx", path=SEARCH_PATH) or "nginx"
        self._process = subprocess.Popen([nginx, "-c", self._configuration])

    def stop(self) -> None:
        """Stop it."""
        if self._process:
            self._process.terminate()
            self._process.wait()


SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
