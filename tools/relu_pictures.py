"""The pictures of docs/relu.md. Each carries what tells the results that it shows from others."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter
from relu_results import (
    OTHERS,
    OUTPUTS,
    OWN,
    RESULTS,
    Row,
    arrival,
    byte_size,
    find,
    load,
    of_source,
    unique,
)

from fastact.plot import BLUE, GREEN, GREY, PURPLE, VERMILION, style

COLORS = {"relu": BLUE, "sigmoid": VERMILION, "tanh": GREEN, "softplus": PURPLE, "gelu": GREY}
#: Where there are lines: in steps of about two.
RATIOS = (0.25, 0.5, 1, 2, 4, 6, 10, 20)
EPOCHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def draw_all(directory: Path) -> None:
    """Draw every picture into a directory."""
    with style():
        for file, (draw, name) in PICTURES.items():
            metadata: Any = {"Date": None, "Creator": None, "Description": digest(name)}
            draw(load(name)).savefig(directory / file, metadata=metadata)


def stale(directory: Path) -> list[str]:
    """Return the pictures that are not there, or show other results."""
    return [
        file
        for file, (_, name) in PICTURES.items()
        if not (directory / file).exists()
        or digest(name) not in (directory / file).read_text(encoding="utf-8")
    ]


def digest(name: str) -> str:
    content = (RESULTS / f"{name}.json").read_bytes()
    return f"sha256 {hashlib.sha256(content).hexdigest()}"


# --- kernels -----------------------------------------------------------------------------------


def draw_kernels(results: Row) -> Figure:
    """Draw fastact's ratios: forward above backward, a panel for each output."""
    own = find(results["cells"], source=OWN)
    directions, outputs = unique(own, "direction"), unique(own, "output")
    figure, panels = _panels(len(directions), len(outputs))
    for row, direction in zip(panels, directions, strict=True):
        for axes, output in zip(row, outputs, strict=True):
            axes.set_title(f"{direction}, {OUTPUTS[output]}")
            cells = find(own, direction=direction, output=output)
            for threads, dashes in zip(unique(cells, "threads"), ("-", ":"), strict=False):
                _draw_ratios(axes, find(cells, threads=threads), dashes)
    return _finished(figure, panels, "fastact: time over relu's, one thread, and two (dotted)")


def draw_sources(results: Row) -> Figure:
    """Draw the ratios of every library, forward on one thread."""
    cells = results["cells"]
    sources = unique(cells, "source")
    figure, panels = _panels(2, math.ceil(len(sources) / 2))
    for axes, source in zip(panels.flat, sources, strict=False):
        axes.set_title(source)
        _draw_ratios(axes, of_source(cells, source, "forward"), "-")
    return _finished(figure, panels, "Forward, one thread: time over that of the library's relu")


def _draw_ratios(axes: Axes, cells: Sequence[Row], dashes: str) -> None:
    for name in OTHERS:
        line = find(cells, activation=name)
        sizes, ratios = ([cell[key] for cell in line] for key in ("bytes", "ratio"))
        axes.plot(sizes, ratios, dashes, marker="o", markersize=4, color=COLORS[name], label=name)
    axes.axhline(1, color="black", linewidth=1)
    axes.axhline(6, color="black", linewidth=1, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="bytes of an array")
    sizes = unique(cells, "bytes")
    axes.set_xticks(sizes, [byte_size(size) for size in sizes], fontsize=9)
    axes.set_yticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())


# --- convergence -------------------------------------------------------------------------------


def draw_convergence(results: Row) -> Figure:
    """Draw the error against epochs: the median over the seeds, and their range."""
    protocol, settings = results["protocol"], results["settings"]
    figure, panels = _panels(len(protocol["targets"]), len(settings))
    for row, target in zip(panels, protocol["targets"], strict=True):
        for axes, setting in zip(row, settings, strict=True):
            axes.set_title(f"{setting['title']},\nrates best for {target:.0%}")
            runs = find(results["runs"], setting=setting["title"], target=target)
            for name in setting["gains"]:
                _draw_runs(axes, name, find(runs, activation=name), protocol)
            axes.axhline(target, color="black", linewidth=1, linestyle="--")
            axes.set(xscale="log", xlabel="epochs", ylim=(0, 0.85))
            axes.set_xticks(EPOCHS, [f"{epochs:g}" for epochs in EPOCHS])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return _finished(figure, panels, "When a training error was first reached: median and range")


def _draw_runs(axes: Axes, name: str, runs: Sequence[Row], protocol: Row) -> None:
    errors = sorted({reached[0] for run in runs for reached in run["arrivals"]}, reverse=True)
    epochs = [
        sorted(arrival(run, error)[0] / protocol["updates_per_epoch"] for run in runs)
        for error in errors
    ]
    latest = [min(seeds[-1], protocol["most_epochs"]) for seeds in epochs]
    axes.plot(
        [statistics.median(seeds) for seeds in epochs], errors, color=COLORS[name], label=name
    )
    axes.fill_betweenx(
        errors, [seeds[0] for seeds in epochs], latest, color=COLORS[name], alpha=0.15, linewidth=0
    )


def _panels(rows: int, columns: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(4.0 * columns, 3.6 * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, sharey=True)


def _finished(figure: Figure, panels: Any, title: str) -> Figure:
    figure.suptitle(title)
    handles, labels = panels[0][0].get_legend_handles_labels()
    names = list(dict.fromkeys(labels))
    lines = [handles[labels.index(name)] for name in names]
    figure.legend(lines, names, loc="outside lower center", ncols=len(names))
    return figure


#: The pictures, what draws them, and the results that they show.
PICTURES: dict[str, tuple[Callable[[Row], Figure], str]] = {
    "kernels.svg": (draw_kernels, "kernels"),
    "sources.svg": (draw_sources, "kernels"),
    "convergence.svg": (draw_convergence, "convergence"),
}
