"""The figures of ``--layouts`` in tables for a terminal and for a page, and in JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from fastact.bench import report
from fastact.bench.layouts import FUNCTIONS, Result
from fastact.bench.measure import SLOWER, WRONG

LEGEND = (
    "Times are ns per call, medians; ratio = time of the ufunc / fastact's. "
    f"{SLOWER} marks a call that takes longer than the ufunc, {WRONG} a result that differs from "
    "that of a contiguous array."
)


class Summary(NamedTuple):
    """All cases in a few figures."""

    cases: int
    geometric_mean: float
    #: The lowest ratio, and where it is.
    worst_ratio: float
    worst_case: str
    slower: int
    wrong: int

    def fails(self, least: float) -> bool:
        """Whether a result is wrong, or the ratio of any case below the least allowed."""
        return self.wrong > 0 or self.worst_ratio < least

    def __str__(self) -> str:
        return (
            f"Geometric mean of the ratios of {self.cases} calls: {self.geometric_mean:.2f}. "
            f"Lost: {self.slower} slower than the ufunc, {self.wrong} wrong.\n"
            f"Worst ratio: {report.three_digits(self.worst_ratio)}, {self.worst_case}."
        )


def summary(results: Sequence[Result]) -> Summary:
    worst = min(results, key=lambda result: result.ratio)
    case = worst.case
    return Summary(
        cases=len(results),
        geometric_mean=statistics.geometric_mean(result.ratio for result in results),
        worst_ratio=worst.ratio,
        worst_case=f"{case.activation} beside {worst.function.peer}, {case.layout}, {case.table}",
        slower=sum(result.is_slower for result in results),
        wrong=sum(not result.is_same for result in results),
    )


def _tables(results: Sequence[Result]) -> list[tuple[str, list[Result]]]:
    return [(name, list(group)) for name, group in groupby(results, lambda r: r.case.table)]


def terminal(machine: report.Machine, results: Sequence[Result]) -> list[str | Table]:
    """Return a table per dtype and number of threads."""
    tables = [_table(caption, group) for caption, group in _tables(results)]
    return [report.title(machine), LEGEND, "", *tables, str(summary(results))]


def _table(caption: str, results: Sequence[Result]) -> Table:
    table = Table(title=caption, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("layout", "activation", "beside"):
        table.add_column(name, no_wrap=True)
    for name in ("elements", "fastact", "ufunc", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for layout, group in groupby(results, lambda result: result.case.layout):
        for i, result in enumerate(group):
            style = "bold red" if result.is_lost else ""
            table.add_row(
                layout if i == 0 else "",
                result.case.activation,
                result.function.peer_call,
                f"{result.size:,}",
                report.three_digits(result.own.median),
                report.three_digits(result.peer.median),
                Text(report.three_digits(result.ratio), style),
                Text(result.marks, style),
            )
        table.add_section()
    return table


def markdown(machine: report.Machine, results: Sequence[Result]) -> str:
    """Return a table per dtype and number of threads: layouts by activations."""
    hardware, software = report.title(machine).splitlines()
    lines = [
        f"Measured on {hardware}, with {software}.",
        "",
        "Each entry is fastact's time in ns per call, then how many times as long the ufunc of "
        f"the same function takes; **{SLOWER}** marks a call that takes longer than the ufunc, "
        f"**{WRONG}** a result that differs from that of a contiguous array.",
        "",
    ]
    for caption, group in _tables(results):
        measured = {result.case.activation for result in group}
        activations = [name for name in FUNCTIONS if name in measured]
        lines += [
            f"| {caption} | {' | '.join(activations)} |",
            f"| --- | {' | '.join('---' for _ in activations)} |",
        ]
        for layout, row in groupby(group, lambda result: result.case.layout):
            entries = {result.case.activation: _entry(result) for result in row}
            lines.append(f"| {layout} | {' | '.join(entries.get(a, '') for a in activations)} |")
        lines.append("")
    return "\n".join([*lines, str(summary(results))])


def _entry(result: Result) -> str:
    ratio = report.three_digits(result.ratio)
    entry = f"{report.three_digits(result.own.median)} ({ratio})"
    return f"**{result.marks}** {entry}" if result.is_lost else entry


def document(machine: report.Machine, results: Sequence[Result]) -> dict[str, Any]:
    """Return all figures as JSON can hold them."""
    return {
        "schema": 1,
        "machine": machine._asdict(),
        "layouts": [
            {
                **result.case._asdict(),
                "size": result.size,
                "peer": result.function.peer,
                "ratio": result.ratio,
                "slower": result.is_slower,
                "wrong": not result.is_same,
                "libraries": {
                    name: {
                        "median_ns": timing.median,
                        "minimum_ns": timing.minimum,
                        "rounds": timing.rounds,
                        "calls_per_round": timing.calls_per_round,
                    }
                    for name, timing in zip(
                        ("fastact", result.function.library), (result.own, result.peer), strict=True
                    )
                },
            }
            for result in results
        ],
        "summary": summary(results)._asdict(),
    }
