"""`make bench`: compare the service with its alternatives; writes docs/performance.md and its plot.

The main figure is the CPU time of the server per request, from /proc, because noise disturbs it least. Compare figures
of one run only. `--quick` takes shorter rounds and writes nothing.
"""

import argparse
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx2

from benchmarks.report import Comparison, During, write
from benchmarks.rig import EMAIL, PASSWORD, Rig, running_rig
from benchmarks.wrk import Figures, Server, wrk

ROWS = 10_000
DEEP_ROWS, DEEP_PAGE, PAGE_SIZE = 1_000_000, 5_000, 20
CONTENDERS = ("limit", "bare", "usual", "orm", "ours")
NOTE = '{"title": "a title as people write them"}'


def workloads(rig: Rig) -> dict[str, tuple[str, str]]:
    """Return the paths and bodies of each workload."""
    return {
        "health": ("/health/live", ""),
        "read one": (rig.notes[0], ""),
        "list 20": ("/api/v1/notes?limit=20", ""),
        "list 100": ("/api/v1/notes?limit=100", ""),
        "create": ("/api/v1/notes", f"POST {NOTE}"),
        # Different rows, because changes of one row wait for its lock.
        "change": (" ".join(rig.notes), f"PATCH {NOTE}"),
    }


def median(rounds: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return Figures(*(statistics.median(values) for values in zip(*(vars(f).values() for f in rounds), strict=True)))


def compare(rig: Rig, seconds: float, rounds: int) -> dict[str, dict[str, Figures]]:
    """Measure every workload of every contender, interleaved, so that noise affects all of them."""
    measured: dict[str, dict[str, list[Figures]]] = {}
    for _ in range(rounds):
        for workload, (path, body) in workloads(rig).items():
            for name in CONTENDERS:
                figures = wrk(rig.servers[name], path, rig.token, seconds, body=body)
                measured.setdefault(workload, {}).setdefault(name, []).append(figures)
            print(".", end="", flush=True)
    return {workload: {name: median(f) for name, f in by.items()} for workload, by in measured.items()}


def log_in(client: httpx2.Client, number: int, email: str) -> dict[str, str]:
    """Log in from a new address, because logins of one address are limited; return the response."""
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    headers = {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
    answer: dict[str, str] = client.post("/api/v1/auth/token", data=form, headers=headers).json()
    return answer


def refresh(client: httpx2.Client, token: str) -> str:
    """Exchange a refresh token; return the next one."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return str(client.post("/api/v1/auth/token", data=form).raise_for_status().json()["refresh_token"])


def grants(rig: Rig, seconds: float) -> dict[str, dict[str, Figures]]:
    """Measure logins and refreshes, one after the other; the other contenders have neither."""
    server, numbers = rig.servers["ours"], count()
    with httpx2.Client(base_url=server.address, timeout=30) as client:
        token = log_in(client, next(numbers), EMAIL)["refresh_token"]

        def refresh_again() -> None:
            nonlocal token
            token = refresh(client, token)

        return {
            "login": {"ours": time_calls(server, seconds, lambda: log_in(client, next(numbers), EMAIL))},
            "refresh": {"ours": time_calls(server, seconds, refresh_again)},
        }


def time_calls(server: Server, seconds: float, call: Callable[[], object]) -> Figures:
    """Call repeatedly for some seconds."""
    times: list[float] = []
    before, started = server.cpu_seconds(), time.perf_counter()
    while time.perf_counter() < started + seconds:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    cpu = (server.cpu_seconds() - before) * 1000 / len(times)
    percentiles = statistics.quantiles(times, n=100)
    return Figures(len(times), len(times) / seconds, percentiles[49], percentiles[98], cpu)


def read_during(rig: Rig, seconds: float, clients: int, act: Callable[[httpx2.Client, int], object]) -> During:
    """Measure reads alone, and while clients act without pause."""
    path, ours = rig.notes[0], rig.servers["ours"]
    alone = wrk(ours, path, rig.token, seconds)
    is_over: list[bool] = []
    numbers = count(1_000_000)

    def keep_on() -> None:
        with httpx2.Client(base_url=ours.address, timeout=30) as client:
            while not is_over:
                act(client, next(numbers))

    with ThreadPoolExecutor(clients) as threads:
        for _ in range(clients):
            threads.submit(keep_on)
        during = wrk(ours, path, rig.token, seconds)
        is_over.append(True)
    return During(during.rate / alone.rate, during.p99)


def during_refreshes(rig: Rig, seconds: float) -> During:
    """Measure reads while one client refreshes, which must not clear the cache of live sessions."""
    with httpx2.Client(base_url=rig.servers["ours"].address) as client:
        tokens = [log_in(client, 0, EMAIL)["refresh_token"]]
    return read_during(rig, seconds, 1, lambda client, _: tokens.append(refresh(client, tokens.pop())))


def deep_page(rig: Rig) -> tuple[float, float]:
    """Follow cursors to page 5,000 of 1,000,000 rows; return the CPU per request of page 1 and of that page."""
    server = rig.servers["ours"]
    rig.postgres.execute(
        "app",
        "INSERT INTO notes (id, owner_id, title, created_at) SELECT gen_random_uuid(), owner_id, 'deep ' || n, "
        f"now() - interval '1 day' - n * interval '1 second' FROM generate_series(1, {DEEP_ROWS}) n, "
        "(SELECT owner_id FROM notes LIMIT 1) o",
        "VACUUM ANALYZE notes",
    )
    headers, path = {"Authorization": f"Bearer {rig.token}"}, "/api/v1/notes?limit=20"
    with httpx2.Client(base_url=server.address, headers=headers, timeout=30) as client:
        for _ in range(DEEP_PAGE - 1):
            cursor = client.get(path).raise_for_status().json()["next_cursor"]
            path = f"/api/v1/notes?limit=20&cursor={cursor}"
    rounds = [[wrk(server, p, rig.token, 2).cpu for p in ("/api/v1/notes?limit=20", path)] for _ in range(5)]
    first, deep = (statistics.median(values) for values in zip(*rounds, strict=True))
    return first, deep


def two_workers(rig: Rig, seconds: float) -> float:
    """Return the throughput of two workers on both cores, as a multiple of that of one."""
    rates = []
    for workers in ("1", "2"):
        ours = rig.servers["ours"]
        server = Server("ours", ours.command, {**ours.environment, "WEB_CONCURRENCY": workers})
        server.start(cores="0,1")
        wrk(server, rig.notes[0], rig.token, 2, 32)  # One worker responds before the other one has started.
        rates.append(wrk(server, rig.notes[0], rig.token, seconds, 32).rate)
        server.stop()
    return rates[1] / rates[0]


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, without the million rows; writes nothing")
    quick = parser.parse_args().quick
    if shutil.which("wrk") is None:
        sys.exit("wrk puts the load on (Debian: wrk)")
    seconds, rounds = (2.0, 1) if quick else (4.0, 3)
    with running_rig(ROWS) as rig:
        figures = compare(rig, seconds, rounds)
        crowd = wrk(rig.servers["ours"], rig.notes[0], rig.token, seconds, connections=64)
        during_logins = read_during(rig, seconds, 4, lambda client, n: log_in(client, n, f"unknown{n}@example.com"))
        comparison = Comparison(
            figures={**figures, **grants(rig, seconds)},
            memory={name: rig.servers[name].worker_mib() for name in CONTENDERS},
            cold_start={name: rig.servers[name].cold_start for name in CONTENDERS},
            crowd=crowd,
            during_logins=during_logins,
            during_refreshes=during_refreshes(rig, seconds),
            pages=(1.0, 1.0) if quick else deep_page(rig),
            two_workers=two_workers(rig, seconds),
        )
    print()
    broken = write(comparison, is_final=not quick)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
