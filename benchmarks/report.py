"""The page and the plot of a comparison, and its goals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.core.database_url import PROJECT_ROOT
from benchmarks.wrk import Figures

PAGE = PROJECT_ROOT / "docs" / "performance.md"
PLOT = PROJECT_ROOT / "docs" / "performance.svg"
COLOURS = {"limit": "#9e9e9e", "bare": "#90caf9", "usual": "#ef9a9a", "orm": "#81c784", "ours": "#1b5e20"}
MOST_OF_LIMIT = {"read one": 2.4, "list 20": 2.5, "list 100": 2.5, "create": 3.1, "change": 3.1, "health": 3.0}
LEAST_BELOW_USUAL = {"read one": 4.0, "list 20": 4.0, "create": 4.0}
MEMORY_MIB, COLD_START_SECONDS = 110.0, 1.5


@dataclass(frozen=True)
class During:
    """Reads while clients act: their share of the reads without clients, and the p99 in milliseconds."""

    kept: float
    p99: float


@dataclass(frozen=True)
class Comparison:
    """All figures of one run."""

    figures: dict[str, dict[str, Figures]]
    memory: dict[str, float]
    cold_start: dict[str, float]
    crowd: Figures
    """64 concurrent requests on a pool of 10."""
    during_logins: During
    during_refreshes: During
    pages: tuple[float, float]
    """CPU per request of page 1 and of page 5,000, in milliseconds."""
    two_workers: float

    def ratio(self, workload: str, other: str) -> float:
        """Return our CPU per request as a multiple of another's."""
        by = self.figures[workload]
        return by["ours"].cpu / by[other].cpu


def goals(c: Comparison) -> Iterator[tuple[str, str, bool]]:
    """Yield each goal, its figure, and whether it is met."""
    for workload, most in MOST_OF_LIMIT.items():
        value = c.ratio(workload, "limit")
        yield f"{workload}: at most {most:g} x limit", f"{value:.2f} x", value <= most
    for workload, least in LEAST_BELOW_USUAL.items():
        value = 1 / c.ratio(workload, "usual")
        yield f"{workload}: at least {least:g} x less than usual", f"{value:.2f} x", value >= least
    slower = c.pages[1] / c.pages[0]
    yield "page 5,000 within 20 % of page 1", f"{slower:.2f} x", slower <= 1.2  # noqa: PLR2004
    logins, refreshes, workers = c.during_logins, c.during_refreshes, c.two_workers
    yield "while 4 clients log in: at least 60 % of the undisturbed reads", f"{logins.kept:.0%}", logins.kept >= 0.6  # noqa: PLR2004
    yield "p99 of these reads: under 100 ms", f"{logins.p99:.0f} ms", logins.p99 < 100  # noqa: PLR2004
    yield "while one client refreshes: at least 60 % of these reads", f"{refreshes.kept:.0%}", refreshes.kept >= 0.6  # noqa: PLR2004
    tail = c.crowd.p99 / c.crowd.p50
    yield "64 concurrent requests on a pool of 10: p99 at most 4 x p50", f"{tail:.2f} x", tail <= 4  # noqa: PLR2004
    yield "two workers: at least 1.8 x one, unless PostgreSQL limits", f"{workers:.2f} x", workers >= 1.8  # noqa: PLR2004
    yield (
        f"one worker after load: under {MEMORY_MIB:g} MiB",
        f"{c.memory['ours']:.0f} MiB",
        c.memory["ours"] < MEMORY_MIB,
    )
    start = c.cold_start["ours"]
    yield f"cold start: under {COLD_START_SECONDS:g} s", f"{start:.2f} s", start < COLD_START_SECONDS


def table(c: Comparison) -> Iterator[str]:
    """Yield the lines of the tables."""
    yield "| workload | contender | CPU ms per request | x limit | requests/s | p50 ms | p99 ms |"
    yield "|---|---|---|---|---|---|---|"
    for workload, by in c.figures.items():
        for name, f in by.items():
            ratio = f"{f.cpu / by['limit'].cpu:.2f}" if "limit" in by else ""
            yield f"| {workload} | {name} | {f.cpu:.3f} | {ratio} | {f.rate:.0f} | {f.p50:.2f} | {f.p99:.2f} |"
    yield ""
    yield "| | " + " | ".join(COLOURS) + " |"
    yield "|---" * (len(COLOURS) + 1) + "|"
    yield "| resident memory after load, MiB | " + " | ".join(f"{c.memory[n]:.0f}" for n in COLOURS) + " |"
    yield "| cold start, s | " + " | ".join(f"{c.cold_start[n]:.2f}" for n in COLOURS) + " |"
    yield ""
    yield "| goal | measured | result |"
    yield "|---|---|---|"
    for goal, measured, is_met in goals(c):
        yield f"| {goal} | {measured} | {'met' if is_met else '**missed**'} |"


def plot(c: Comparison) -> str:
    """Return a bar chart of the CPU per request, as multiples of the limit."""
    bars, y = [], 30
    compared = {workload: by for workload, by in c.figures.items() if "limit" in by}
    for workload, by in compared.items():
        bars.append(f'<text x="10" y="{y + 28}" font-weight="bold">{workload}</text>')
        for name, f in by.items():
            ratio = f.cpu / by["limit"].cpu
            bars.append(f'<rect x="110" y="{y}" width="{ratio * 28:.0f}" height="11" fill="{COLOURS[name]}"/>')
            bars.append(f'<text x="{116 + ratio * 28:.0f}" y="{y + 10}">{name} {ratio:.1f}</text>')
            y += 13
        y += 12
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y}" font-family="sans-serif" font-size="11">'
    title = '<text x="10" y="16" font-size="13">Server CPU per request, in multiples of the limit</text>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', title, *bars, "</svg>"]) + "\n"


def write_section(name: str, lines: Iterable[str]) -> None:
    """Replace a section of the page, between its two comments."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, _, rest = PAGE.read_text().partition(begin)
    tail = rest.partition(end)[2]
    PAGE.write_text("\n".join([f"{head}{begin}", "", *lines, "", f"{end}{tail}"]))


def write(comparison: Comparison, *, is_final: bool) -> bool:
    """Print the tables, and write the page and the plot of a final run; return whether a goal was missed."""
    lines = list(table(comparison))
    print("\n".join(lines))
    if is_final:
        write_section("figures", lines)
        PLOT.write_text(plot(comparison))
    return not all(is_met for _, _, is_met in goals(comparison))
