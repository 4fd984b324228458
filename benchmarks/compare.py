"""`make bench`: the service beside what one would use instead; writes docs/performance.md and its plot.

The main figure is the server's CPU time a request, from /proc: it is what noise on the machine disturbs least. Figures
of one run are compared with each other only. `--quick` takes shorter rounds and writes nothing.
"""

import argparse
import shutil
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx2

from benchmarks.report import Comparison, write
from benchmarks.rig import PASSWORD, Figures, Rig, Server, running_rig, wrk

ROWS = 10_000
DEEP_ROWS, DEEP_PAGE, PAGE_SIZE = 1_000_000, 5_000, 20
CONTENDERS = ("limit", "bare", "usual", "ours")
ITEM = '{"title": "a title as people write them"}'


def workloads(rig: Rig) -> dict[str, tuple[str, str]]:
    """Name the paths and bodies."""
    return {
        "health": ("/health/live", ""),
        "read one": (rig.items[0], ""),
        "list 20": ("/api/v1/items?limit=20", ""),
        "list 100": ("/api/v1/items?limit=100", ""),
        "create": ("/api/v1/items", f"POST {ITEM}"),
        # Different ones, or it would measure how long each holds the lock of the row.
        "change": (" ".join(rig.items), f"PATCH {ITEM}"),
    }


def median(rounds: list[Figures]) -> Figures:
    """Take the middle of every figure."""
    return Figures(*(statistics.median(values) for values in zip(*(vars(f).values() for f in rounds), strict=True)))


def compare(rig: Rig, seconds: float, rounds: int) -> dict[str, dict[str, Figures]]:
    """Measure every workload of every contender, interleaved, so that what the machine does meanwhile is shared."""
    measured: dict[str, dict[str, list[Figures]]] = {}
    for _ in range(rounds):
        for workload, (path, body) in workloads(rig).items():
            for name in CONTENDERS:
                figures = wrk(rig.servers[name], path, rig.token, seconds, body=body)
                measured.setdefault(workload, {}).setdefault(name, []).append(figures)
            print(".", end="", flush=True)
    return {workload: {name: median(f) for name, f in by.items()} for workload, by in measured.items()}


def log_in_beside(rig: Rig, seconds: float) -> tuple[float, float]:
    """Read alone, and while 4 clients log in without pause; give the share of requests that is kept, and the p99."""
    path = rig.items[0]
    alone = wrk(rig.servers["ours"], path, rig.token, seconds)
    is_over: list[bool] = []

    def log_in(number: int) -> None:
        form = {"grant_type": "password", "username": f"nobody{number}@example.com", "password": PASSWORD}
        with httpx2.Client(base_url=rig.servers["ours"].address, timeout=30) as client:
            for attempt in count():
                if is_over:
                    return
                client.post("/api/v1/auth/token", data={**form, "username": f"{attempt}{form['username']}"})

    with ThreadPoolExecutor(4) as threads:
        for number in range(4):
            threads.submit(log_in, number)
        beside = wrk(rig.servers["ours"], path, rig.token, seconds)
        is_over.append(True)
    return beside.rate / alone.rate, beside.p99


def deep_page(rig: Rig) -> tuple[float, float]:
    """Follow cursors to page 5,000 of 1,000,000 rows; give the CPU a request of page 1 and of that page."""
    server = rig.servers["ours"]
    rig.postgres.execute(
        "app",
        "INSERT INTO items (id, owner_id, title, created_at) SELECT gen_random_uuid(), owner_id, 'deep ' || n, "
        f"now() - interval '1 day' - n * interval '1 second' FROM generate_series(1, {DEEP_ROWS}) n, "
        "(SELECT owner_id FROM items LIMIT 1) o",
        "VACUUM ANALYZE items",
    )
    headers, path = {"Authorization": f"Bearer {rig.token}"}, "/api/v1/items?limit=20"
    with httpx2.Client(base_url=server.address, headers=headers, timeout=30) as client:
        for _ in range(DEEP_PAGE - 1):
            cursor = client.get(path).raise_for_status().json()["next_cursor"]
            path = f"/api/v1/items?limit=20&cursor={cursor}"
    rounds = [[wrk(server, p, rig.token, 2).cpu for p in ("/api/v1/items?limit=20", path)] for _ in range(5)]
    first, deep = (statistics.median(values) for values in zip(*rounds, strict=True))
    return first, deep


def two_workers(rig: Rig, seconds: float) -> float:
    """Give the throughput of two workers, on both cores, as a multiple of one's, on both cores."""
    rates = []
    for workers in ("1", "2"):
        ours = rig.servers["ours"]
        server = Server("ours", ours.command, {**ours.environment, "WEB_CONCURRENCY": workers})
        server.start(cores="0,1")
        rates.append(wrk(server, rig.items[0], rig.token, seconds, 32).rate)
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
        crowd = wrk(rig.servers["ours"], rig.items[0], rig.token, seconds, connections=64)
        kept, login_p99 = log_in_beside(rig, seconds)
        comparison = Comparison(
            figures=figures,
            memory={name: rig.servers[name].worker_mib() for name in CONTENDERS},
            cold_start={name: rig.servers[name].cold_start for name in CONTENDERS},
            crowd=crowd,
            kept_beside_logins=kept,
            p99_beside_logins=login_p99,
            pages=(1.0, 1.0) if quick else deep_page(rig),
            two_workers=two_workers(rig, seconds),
        )
    print()
    broken = write(comparison, is_final=not quick)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
