"""`make drill`: run all drills and print a table; exit with 1 if a promise is broken.

`--quick` runs those that are part of `make check`.
"""

import argparse
import asyncio
import sys
import time

from drills import chaos, crowds, database, edges, hosts, jobs, life, memory, sabotage, valkey
from drills.drill import DRILLS, Drill, Scene, late, perform
from drills.load import LOST
from drills.processes import Nginx
from drills.world import running_world

MODULES = (chaos, hosts, jobs, crowds, edges, life, memory, valkey, sabotage, database)
"""Imported because they register drills."""
HEAD = (
    *("drill", "requests", "refused", "late", "no response"),
    *("acknowledged writes missing", "p99", "recovery", "verdict"),
)


def row(drilled: Drill, outcome: Scene) -> tuple[str, ...]:
    """Return the row of one outcome."""
    load, statuses = outcome.load, outcome.load.statuses()
    refused = sum(count for status, count in statuses.items() if status >= 300)  # noqa: PLR2004  not a success
    figures = (
        str(len(load.samples)),
        str(refused),
        str(late(load)),
        str(statuses[LOST]),
        str(outcome.acknowledged_and_lost),
        f"{load.p99() * 1000:.0f} ms",
    )
    return (
        drilled.name,
        *(figures if load.samples else ("–",) * len(figures)),  # noqa: RUF001  a dash: the drill has no shared load
        "" if outcome.recovery is None else f"{outcome.recovery:.2f} s",
        "; ".join(outcome.broken) or "ok",
    )


def chosen(arguments: argparse.Namespace) -> list[Drill]:
    """Return the drills that are requested and possible on this machine."""
    drills = [
        d
        for d in DRILLS
        if (d.is_quick or not arguments.quick) and arguments.only in d.name and arguments.without not in d.name
    ]
    if Nginx.is_installed():
        return drills
    print("Without nginx (Debian: nginx-light) the drills behind it are left out.")
    return [drilled for drilled in drills if not drilled.needs_nginx]


async def main() -> int:
    """Run the drills one after another, in one world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only those that are part of `make check`")
    parser.add_argument("--only", default="", help="only drills with this in their name")
    parser.add_argument("--without", default="\0", help="no drills with this in their name")
    arguments = parser.parse_args()
    started = time.monotonic()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    broken = done = 0
    async with running_world() as world:
        for drilled in chosen(arguments):
            outcome = await perform(world, drilled)
            print("| " + " | ".join(row(drilled, outcome)) + " |", flush=True)
            if outcome.broken:
                print({sample.error for sample in outcome.load.samples if sample.error}, outcome.load.statuses())
            broken += bool(outcome.broken)
            done += 1
    print(f"\n{done} drills in {time.monotonic() - started:.0f} s, {broken} with broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
