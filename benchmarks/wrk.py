"""A server under test, and the load that wrk puts on it."""

import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.core.database_url import PROJECT_ROOT
from benchmarks.server import cpu_seconds, resident_mib
from devtools.loopback import free_port, wait_for

SERVER_CORE, LOAD_CORE = "0", "1"
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass
class Server:
    """A server under test, pinned to its core."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int = 0
    cold_start: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, cores: str = SERVER_CORE) -> None:
        """Start the server, and record how long it takes to respond."""
        self.port = free_port()
        command = [part.replace("{port}", str(self.port)) for part in self.command]
        environment = {**os.environ, **self.environment, "PORT": str(self.port)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, *command], env=environment, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL
        )
        wait_for(f"{self.address}/health/live")
        self.cold_start = time.monotonic() - started

    def stop(self) -> None:
        """Stop it."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def processes(self) -> list[int]:
        """Return the ids of its processes."""
        assert self.process
        pid = self.process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def cpu_seconds(self) -> float:
        """Return the CPU time of its processes."""
        return sum(cpu_seconds(pid) for pid in self.processes())

    def worker_mib(self) -> float:
        """Return the resident memory of the worker process."""
        return resident_mib(self.processes()[-1])


@dataclass(frozen=True)
class Figures:
    """The figures of one round of load."""

    requests: int
    rate: float
    p50: float
    """In milliseconds, like the next."""
    p99: float
    cpu: float
    """Milliseconds of CPU of the server per request."""


ROTATING = """
paths, turn = {%s}, 0
request = function()
    turn = turn %% #paths + 1
    return wrk.format(nil, paths[turn])
end
"""


def wrk(server: Server, paths: str, token: str, seconds: float, connections: int = 16, body: str = "") -> Figures:
    """Put load on a server, on one path or on several in turn; a body has its method before it: `POST {...}`."""
    first, *others = paths.split()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.headers["Authorization"] = "Bearer {token}"\n')
        if body:
            method, _, content = body.partition(" ")
            script.write(f"wrk.method = '{method}'\nwrk.headers['Content-Type'] = 'application/json'\n")
            script.write(f"wrk.body = '{content}'\n")
        if others:
            script.write(ROTATING % ", ".join(f'"{path}"' for path in (first, *others)))
        script.flush()
        before = server.cpu_seconds()
        options = ["-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script.name]
        command = ["taskset", "-c", LOAD_CORE, "wrk", *options, f"{server.address}{first}"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        cpu = server.cpu_seconds() - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{server.name} {first}: {output}")
    requests = int(re.findall(r"(\d+) requests in", output)[0])
    p50, p99 = (duration(re.findall(rf"^ +{percent}% +(\S+)$", output, re.MULTILINE)[0]) for percent in (50, 99))
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0])
    return Figures(requests, rate, p50, p99, cpu * 1000 / requests)


def duration(written: str) -> float:
    """Parse a duration of wrk; return milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", written).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]
