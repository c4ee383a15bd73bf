"""What docs/relu/*.json hold, for the page and its pictures: cells of kernels, and races."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "relu"

#: fastact as it is by default, among the sources of the kernels.
OWN = "fastact"
#: In the order in which they are told.
OTHERS = ("sigmoid", "tanh", "softplus", "gelu")
OUTPUTS = {"out": "warm", "new": "new", "fresh": "fresh pages"}

Row = dict[str, Any]


def load(name: str) -> Row:
    """Return the results of one measurement, "kernels" or "convergence"."""
    results: Row = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return results


def find(rows: Iterable[Row], **facts: Any) -> list[Row]:
    """Return the rows of which all of these hold."""
    return [row for row in rows if all(row[key] == value for key, value in facts.items())]


def unique(rows: Iterable[Row], key: str) -> list[Any]:
    return list(dict.fromkeys(row[key] for row in rows))


def byte_size(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def of_source(cells: Sequence[Row], source: str, direction: str) -> list[Row]:
    """Return the cells with one thread and the first kind of output that the source has."""
    found = find(cells, source=source, direction=direction, threads=1)
    return find(found, output=found[0]["output"])


# --- ratios ------------------------------------------------------------------------------------


class Finding(NamedTuple):
    """How many times as long as with relu something takes: infinite if it never arrives."""

    ratio: float
    where: str


def kernel_findings(cells: Iterable[Row]) -> list[Finding]:
    return [Finding(cell["ratio"], place(cell)) for cell in cells if cell["activation"] != "relu"]


def place(cell: Row) -> str:
    """Return in words what was measured."""
    threads = "1 thread" if cell["threads"] == 1 else f"{cell['threads']} threads"
    return (
        f"{cell['source']}, {cell['activation']} {cell['direction']}, "
        f"{byte_size(cell['bytes'])}, {OUTPUTS[cell['output']]}, {threads}"
    )


class Band(NamedTuple):
    """Ratios that are told in one word."""

    title: str
    low: float
    high: float
    #: What they are about.
    number: float

    def of(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings in the band, those nearest to its number first."""
        inside = [finding for finding in findings if self.holds(finding.ratio)]
        return sorted(inside, key=lambda finding: abs(finding.ratio - self.number))

    def holds(self, ratio: float) -> bool:
        return self.low <= ratio and (ratio < self.high or math.isinf(self.high))


#: What is nearer to a number than this factor counts as that number.
NEAR = 1.25
LESS = Band("less than one", 0.0, 1 / NEAR, 1.0)
ONE = Band("about one", 1 / NEAR, NEAR, 1.0)
SIX = Band("about six", 6 / NEAR, 6 * NEAR, 6.0)
TWENTY = Band("twenty or more", 20 / NEAR, math.inf, 20.0)
BANDS = (
    LESS,
    ONE,
    Band("between", ONE.high, SIX.low, 2.4),
    SIX,
    Band("between", SIX.high, TWENTY.low, 11.0),
    TWENTY,
)


# --- races -------------------------------------------------------------------------------------


class Race(NamedTuple):
    """The runs of one network to one training error, by activation and seed."""

    setting: str
    target: float
    rates: dict[str, float]
    #: Infinite where the error was not reached, as is a median where it mostly was not.
    updates: dict[str, list[float]]
    seconds: dict[str, list[float]]

    @property
    def others(self) -> list[str]:
        return [name for name in self.updates if name != "relu"]

    def updates_ratio(self, name: str) -> float:
        """Return the median of an activation over that of relu; NaN if neither arrives."""
        return statistics.median(self.updates[name]) / statistics.median(self.updates["relu"])

    def seconds_ratio(self, name: str) -> float:
        return statistics.median(self.seconds[name]) / statistics.median(self.seconds["relu"])


def races(results: Row) -> list[Race]:
    return [
        _race(setting, target, results["runs"])
        for setting in results["settings"]
        for target in results["protocol"]["targets"]
    ]


def _race(setting: Row, target: float, runs: Sequence[Row]) -> Race:
    of_race = find(runs, setting=setting["title"], target=target)
    of = {name: find(of_race, activation=name) for name in setting["gains"]}
    arrivals = {name: [arrival(run, target) for run in its_runs] for name, its_runs in of.items()}
    return Race(
        setting["title"],
        target,
        {name: its_runs[0]["rate"] for name, its_runs in of.items()},
        {name: [updates for updates, _ in reached] for name, reached in arrivals.items()},
        {name: [seconds for _, seconds in reached] for name, reached in arrivals.items()},
    )


def arrival(run: Row, error: float) -> tuple[float, float]:
    """Return the updates and the seconds until a training error was reached."""
    for reached, updates, seconds in run["arrivals"]:
        if reached == error:
            return updates, seconds
    return math.inf, math.inf


def race_findings(found: Iterable[Race]) -> list[Finding]:
    return [
        Finding(race.updates_ratio(name), f"{name}, {race.setting}, to {race.target:.0%} error")
        for race in found
        for name in race.others
    ]
