"""A picture of the ratios: one panel per table, activations by sizes.

Made without pyplot, so no display is needed and no global state is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from fastact.bench.measure import Result
from fastact.bench.report import summary, tables

#: Ratios of 8 and more, and of 1/8 and less, have the strongest colour.
DOUBLINGS = 3.0
#: From so many doublings on, the colour is too dark for black letters.
DARK = 1.8
PANELS_PER_ROW = 2


def save(file: Path, title: str, results: Sequence[Result]) -> None:
    """Draw the ratios into a file, whose suffix says in which format."""
    groups = [group for _, group in tables(results)]
    columns = min(PANELS_PER_ROW, len(groups))
    rows = math.ceil(len(groups) / columns)
    height = 1.2 + 0.34 * max(len(_activations(group)) for group in groups)
    figure = Figure(figsize=(6.2 * columns, height * rows + 1.3), dpi=150, layout="constrained")
    figure.suptitle(f"Time of the best peer / time of fastact\n{title}", fontsize=9)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes, group in zip(panels, groups, strict=False):
        _draw(axes, group)
    for axes in list(panels):
        axes.set_axis_off()
    figure.supxlabel(str(summary(results)), fontsize=9)
    figure.savefig(file)


def _activations(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.cell.activation for result in results))


def _draw(axes: Axes, results: Sequence[Result]) -> None:
    activations = _activations(results)
    sizes = list(dict.fromkeys(result.cell.size for result in results))
    doublings = np.full((len(activations), len(sizes)), np.nan)
    for result in results:
        row, column = activations.index(result.cell.activation), sizes.index(result.cell.size)
        if result.ratio is not None:
            doublings[row, column] = np.log2(result.ratio)
        label = "no peer" if result.ratio is None else f"{result.ratio:.2f}"
        axes.text(
            column,
            row,
            f"{result.marks} {label}".strip(),
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold" if result.is_lost else "normal",
            color="white" if abs(doublings[row, column]) > DARK else "black",
        )
    # Blue for won and red for lost: the ends of this map can be told apart by the colour-blind.
    norm = TwoSlopeNorm(0.0, -DOUBLINGS, DOUBLINGS)
    axes.imshow(doublings, cmap="RdBu", norm=norm, aspect="auto")
    axes.set_title(results[0].cell.table, fontsize=10)
    axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes], fontsize=8)
    axes.set_yticks(range(len(activations)), activations, fontsize=8)
    axes.set_xlabel("elements", fontsize=8)
