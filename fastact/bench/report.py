"""The figures in tables for a terminal and for the README, and in JSON."""

from __future__ import annotations

import math
import platform
import statistics
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import cpuinfo  # type: ignore[import-untyped]
from rich import box
from rich.table import Table
from rich.text import Text

import fastact as fa
from fastact.bench.cells import Cell, Grid
from fastact.bench.measure import LARGEST_ERROR, SLOWER, WRONG, Result

README_MARKS = ("<!-- bench: begin -->", "<!-- bench: end -->")

LEGEND = (
    "Times are ns per element, medians; ulp and GB/s (read + written) are fastact's; ratio = time "
    f"of the best peer / fastact's. {SLOWER} marks a cell in which a peer is faster, {WRONG} one "
    f"in which fastact errs by more than {LARGEST_ERROR:g} ulp."
)


class Machine(NamedTuple):
    """What the figures depend on."""

    processor: str
    usable_cpus: int
    system: str
    versions: dict[str, str]
    #: As ``fastact.show_config`` has it.
    configuration: dict[str, dict[str, Any]]


def machine(libraries: Mapping[str, str]) -> Machine:
    """Return this machine, with the versions of the libraries that are measured."""
    processor = cpuinfo.get_cpu_info()
    configuration = fa.show_config("dicts")
    return Machine(
        processor=processor.get("brand_raw", platform.machine()),
        usable_cpus=configuration["settings"]["usable_cpus"],
        system=platform.platform(terse=True),
        versions={**libraries, "python": platform.python_version()},
        configuration=configuration,
    )


def title(machine: Machine) -> str:
    """Return the machine and the libraries in two lines."""
    settings, extension = machine.configuration["settings"], machine.configuration["extension"]
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return (
        f"{machine.processor}, instruction set {extension.get('instruction_set', 'unknown')}, "
        f"{machine.usable_cpus} CPUs, {machine.system}\n"
        f"{versions}; backend {settings['backend']}, precision {settings['precision']}"
    )


# --- what it comes to --------------------------------------------------------------------------


class Summary(NamedTuple):
    """All cells in a few figures."""

    cells: int
    #: Cells in which some peer has the function.
    compared: int
    geometric_mean: float | None
    slower: int
    wrong: int

    def fails(self, least: float) -> bool:
        """Whether fastact is wrong anywhere, or the geometric mean below the least allowed."""
        return self.wrong > 0 or (self.geometric_mean is not None and self.geometric_mean < least)

    def __str__(self) -> str:
        if self.geometric_mean is None:
            return f"Nothing to compare with in any of {self.cells} cells; wrong: {self.wrong}."
        return (
            f"Geometric mean of the ratios of {self.compared} cells: {self.geometric_mean:.2f}. "
            f"Lost: {self.slower} slower than a peer, {self.wrong} wrong."
        )


def summary(results: Sequence[Result]) -> Summary:
    ratios = [result.ratio for result in results if result.ratio is not None]
    return Summary(
        cells=len(results),
        compared=len(ratios),
        geometric_mean=statistics.geometric_mean(ratios) if ratios else None,
        slower=sum(result.is_slower for result in results),
        wrong=sum(result.is_wrong for result in results),
    )


def _errors(results: Sequence[Result]) -> list[str]:
    """Return the largest error of each library, and where it was."""
    worst: dict[str, tuple[float, str]] = {}
    for cell, measurements in results:
        for name, measurement in measurements.items():
            where = f"{cell.activation} {cell.direction}, {cell.dtype}"
            if measurement.error >= worst.get(name, (0.0, ""))[0]:
                worst[name] = (measurement.error, where)
    return [f"{name} {_ulps(error)} ({where})" for name, (error, where) in worst.items()]


def _ulps(error: float) -> str:
    return f"{error:.2f}" if error < 100 else f"{error:.1e}"


def tables(results: Sequence[Result]) -> list[tuple[str, list[Result]]]:
    """Return the results table by table: cells that differ in activation and size only."""
    return [(name, list(group)) for name, group in groupby(results, lambda r: r.cell.table)]


def _per_element(nanoseconds: float, cell: Cell) -> str:
    return three_digits(nanoseconds / cell.size)


def three_digits(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


# --- for a terminal ----------------------------------------------------------------------------


def terminal(
    machine: Machine, grid: Grid, results: Sequence[Result], missing: Sequence[str]
) -> list[str | Table]:
    lines: list[str | Table] = [
        title(machine),
        f"Inputs: {grid.inputs}; output: {grid.output}. {LEGEND}",
    ]
    if missing:
        lines.append(
            f"Not installed: {', '.join(missing)}. pip install 'fastact[peers]' brings all peers."
        )
    lines += ["", *(_table(caption, group) for caption, group in tables(results))]
    return [*lines, f"Largest errors in ulp: {'; '.join(_errors(results))}.", str(summary(results))]


def _table(caption: str, results: Sequence[Result]) -> Table:
    peers = [
        name for name in _in_order(r.measurements for r in results) if name != "fastact"
    ]  # fmt: skip
    table = Table(title=caption, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("activation", no_wrap=True)
    for name in ("elements", "ulp", "GB/s", "fastact", *peers, "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for activation, group in groupby(results, lambda result: result.cell.activation):
        for i, result in enumerate(group):
            table.add_row(activation if i == 0 else "", *_row(result, peers))
        table.add_section()
    return table


def _in_order(mappings: Any) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _row(result: Result, peers: Sequence[str]) -> list[str | Text]:
    cell, own = result.cell, result.own
    times = [
        _per_element(result.measurements[name].median, cell) if name in result.measurements else ""
        for name in peers
    ]
    style = "bold red" if result.is_lost else ""
    return [
        f"{cell.size:,}",
        _ulps(own.error),
        three_digits(cell.bytes_moved / own.median),
        _per_element(own.median, cell),
        *times,
        Text("" if result.ratio is None else f"{result.ratio:.2f}", style),
        Text(result.marks, style),
    ]


# --- for the README ----------------------------------------------------------------------------


def markdown(machine: Machine, grid: Grid, results: Sequence[Result]) -> str:
    """Return a table per direction, dtype and number of threads, between the README's marks."""
    hardware, software = title(machine).splitlines()
    lines = [
        f"Measured on {hardware}, with {software}. Inputs: {grid.inputs}; output: {grid.output}.",
        "",
        "Each entry is fastact's time in ns per element, then how many times as long the fastest "
        f"peer takes; **{SLOWER}** marks an entry in which that peer is faster, **{WRONG}** one "
        f"in which fastact errs by more than {LARGEST_ERROR:g} ulp.",
        "",
    ]
    for caption, group in tables(results):
        sizes = list(dict.fromkeys(result.cell.size for result in group))
        lines += [
            f"| {caption} | {' | '.join(f'{size:,}' for size in sizes)} |",
            f"| --- | {' | '.join('---' for _ in sizes)} |",
        ]
        for activation, row in groupby(group, lambda result: result.cell.activation):
            lines.append(f"| {activation} | {' | '.join(map(_entry, row))} |")
        lines.append("")
    lines += [str(summary(results)), "", f"Largest errors in ulp: {'; '.join(_errors(results))}."]
    begin, end = README_MARKS
    return "\n".join([begin, "", *lines, "", end])


def _entry(result: Result) -> str:
    entry = _per_element(result.own.median, result.cell)
    if result.ratio is not None:
        entry += f" ({result.ratio:.2f} {result.best_peer})"
    return f"**{result.marks}** {entry}" if result.is_lost else entry


# --- JSON --------------------------------------------------------------------------------------


def document(machine: Machine, grid: Grid, results: Sequence[Result]) -> dict[str, Any]:
    """Return all figures as JSON can hold them; an infinite error is null."""
    return {
        "schema": 1,
        "machine": machine._asdict(),
        "inputs": grid.inputs,
        "cells": [
            {
                **result.cell._asdict(),
                "bytes": result.cell.bytes_moved,
                "best_peer": result.best_peer,
                "ratio": result.ratio,
                "slower": result.is_slower,
                "wrong": result.is_wrong,
                "libraries": {
                    name: {
                        "median_ns": measurement.median,
                        "minimum_ns": measurement.minimum,
                        "rounds": measurement.rounds,
                        "calls_per_round": measurement.calls_per_round,
                        "largest_error_ulp": _finite(measurement.error),
                    }
                    for name, measurement in result.measurements.items()
                },
            }
            for result in results
        ],
        "summary": summary(results)._asdict(),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
