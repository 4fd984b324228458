"""Drills, their promises, and how outcomes are judged."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from drills.load import LOST, Load
from drills.world import DEADLINE_SECONDS, World

LATE_SECONDS = DEADLINE_SECONDS + 0.5
RECOVERY_SECONDS = 1.0
INTERNAL_ERROR = 500
UNAVAILABLE = 503


@dataclass
class Scene:
    """The load, the stored rows and the broken promises of a drill."""

    load: Load
    kept: set[str] = field(default_factory=set)
    healed: float | None = None
    """The time when the database accepts requests again."""
    broken: list[str] = field(default_factory=list)

    @property
    def acknowledged_and_lost(self) -> int:
        """Count the writes that were acknowledged and are not in the database."""
        return len(self.load.acknowledged - self.kept)

    @property
    def refused_and_kept(self) -> int:
        """Count the refused writes that are in the database."""
        return len(self.load.refused & self.kept)

    @property
    def recovery(self) -> float | None:
        """Return the seconds until the last refused request."""
        return None if self.healed is None else max(0.0, self.load.last_failure() - self.healed)

    def expect(self, is_so: object, promise: str) -> None:
        """Record a promise that is broken."""
        if not is_so:
            self.broken.append(promise)


@dataclass(frozen=True)
class Drill:
    """A drill: a failure, and the function that causes it."""

    name: str
    run: Callable[[World, Scene], Awaitable[None]]
    refusals: frozenset[int]
    rate: float
    is_quick: bool
    needs_nginx: bool
    may_lose: bool
    is_definite: bool


DRILLS: list[Drill] = []


def drill(  # noqa: PLR0913  each is a property of a drill
    name: str,
    *,
    refusals: set[int] | None = None,
    rate: float = 80,
    quick: bool = False,
    nginx: bool = False,
    may_lose: bool = False,
    definite: bool = False,
) -> Callable[[Callable[[World, Scene], Awaitable[None]]], None]:
    """Register a drill.

    `refusals` are the statuses that the failure may cause; with `may_lose` responses may be missing; with `definite` no
    refused write may be kept, which is impossible to promise if connections are lost during COMMIT.
    """

    def register(run: Callable[[World, Scene], Awaitable[None]]) -> None:
        DRILLS.append(Drill(name, run, frozenset(refusals or ()), rate, quick, nginx, may_lose, definite))

    return register


@asynccontextmanager
async def scene(world: World, drilled: Drill) -> AsyncIterator[Scene]:
    """Start the load, run the drill, and compare the acknowledged writes with the database."""
    await world.settle()
    address = world.nginx.address if drilled.needs_nginx else ""
    name = f"{drilled.name} {time.time_ns()}"
    async with world.load(name, rate=drilled.rate, address=address) as load:
        current = Scene(load)
        yield current
    await world.settle()
    connection = await world.connect()
    rows = await connection.fetch("SELECT title FROM notes WHERE starts_with(title, $1)", name)
    await connection.close()
    current.kept = {row["title"] for row in rows}


async def perform(world: World, drilled: Drill) -> Scene:
    """Run one drill and judge it."""
    async with scene(world, drilled) as current:
        await drilled.run(world, current)
    load, statuses = current.load, current.load.statuses()
    allowed = {200, 201, *drilled.refusals} | ({LOST} if drilled.may_lose else set())
    if current.recovery is not None:
        current.expect(current.recovery <= RECOVERY_SECONDS, f"recovers within {RECOVERY_SECONDS:g} s")
    current.expect(current.acknowledged_and_lost == 0, "what was acknowledged is kept")
    current.expect(not drilled.is_definite or current.refused_and_kept == 0, "what was refused is not kept")
    current.expect(statuses[INTERNAL_ERROR] == 0, "no 500")
    current.expect(set(statuses) <= allowed, f"only {sorted(allowed)}, not {sorted(set(statuses) - allowed)}")
    current.expect(late(load) == 0, f"no answer after {LATE_SECONDS:g} s")
    silent = [s for s in load.samples if s.status == UNAVAILABLE and not s.retry_after]
    current.expect(not silent, "each 503 says when to come back")
    return current


def late(load: Load) -> int:
    """Count the responses later than the deadline plus half a second."""
    return sum(sample.seconds > LATE_SECONDS for sample in load.samples)
