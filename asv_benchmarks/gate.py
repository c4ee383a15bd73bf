"""Judge a version against another by the ratios of relu and of layouts, in interleaved rounds."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

from asv._stats import is_different
from rich.console import Console
from rich.table import Table

import outcome
from outcome import MISSING, Outcome

#: Series that are judged: relu over what fastact does not change (over sigmoid, relu would seem
#: slower when sigmoid becomes faster), in backends that compile, and in sizes that fit into the
#: caches of one processor, where relu does not wait for what others use too. The same holds for
#: layouts over NumPy.
PATTERNS = (
    r"^relu\.Over(Memcpy|Maximum)\..*'(cython|numba)', '(L1|L2)'\)$",
    r"^layouts\.OverNumPy\..*'cython', '(?!columns of 1024 x 2048)",
)
#: A series is a regression if it has grown by this factor and more than chance explains.
THRESHOLD = 1.15
#: Each starts a new process for each series, for one version and then for the other.
ROUNDS = 4


class Verdict(NamedTuple):
    series: str
    base: Outcome
    head: Outcome
    factor: float
    is_regression: bool


def verdicts(config: Path, base: str, head: str, threshold: float) -> list[Verdict]:
    """Return what became of each series that both versions have.

    Raises
    ------
    LookupError
        If a series has no result, or is skipped in the new version but not in the old.
    """
    names = outcome.selected(config, PATTERNS)
    before, after = (_outcomes(config, commit) for commit in (base, head))
    lost = [
        name
        for name in names
        if before.get(name, MISSING).value is None
        or after.get(name, MISSING).value is None
        or (before[name].is_measured and not after[name].is_measured)
    ]
    if lost or not names:
        raise LookupError(f"{len(lost)} of {len(names)} series have no result: {lost[:5]}")
    return [
        _verdict(name, before[name], after[name], threshold)
        for name in names
        if before[name].is_measured
    ]


def _outcomes(config: Path, commit: str) -> dict[str, Outcome]:
    found = outcome.of_commit(config, commit)
    if len(found) != 1:
        raise LookupError(f"{commit[:8]}: expected results of one environment, got {len(found)}")
    return found[0]


def _verdict(series: str, base: Outcome, head: Outcome, threshold: float) -> Verdict:
    factor = statistics.median(head.samples) / statistics.median(base.samples)
    differs = is_different(base.samples, head.samples, base.stats, head.stats)
    return Verdict(series, base, head, factor, bool(differs) and factor > threshold)


def report(found: list[Verdict], threshold: float) -> int:
    """Print a table, the worst first, and return the exit status."""
    table = Table(title=f"ratios, new over old: a regression above {threshold:g}")
    for column in ("series", "old", "new", "new / old", ""):
        table.add_column(column, justify="left" if column == "series" else "right")
    for verdict in sorted(found, key=lambda verdict: -verdict.factor):
        table.add_row(
            verdict.series.replace(".track_ratio", ""),
            f"{statistics.median(verdict.base.samples):.3f}",
            f"{statistics.median(verdict.head.samples):.3f}",
            f"{verdict.factor:.3f}",
            "REGRESSION" if verdict.is_regression else "",
        )
    console = Console(width=120)
    console.print(table)
    bad = sum(verdict.is_regression for verdict in found)
    console.print(f"{len(found)} series measured in both versions, {bad} regressions")
    return 1 if bad else 0
