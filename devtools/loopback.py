"""Servers on the loopback interface: free ports, and waiting for responses."""

import socket
import time

import httpx2

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.005


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(url: str) -> float:
    """Send requests until one succeeds; return the seconds, or raise TimeoutError."""
    started = time.monotonic()
    while (waited := time.monotonic() - started) < PATIENCE_SECONDS:
        try:
            if httpx2.get(url).is_success:
                return waited
        except httpx2.TransportError:
            pass
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(f"{url} did not answer")
