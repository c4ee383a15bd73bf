"""``fastact plot``: activations and their derivatives, drawn with their kinks.

Made without pyplot, so no display is needed and no global state is touched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import fastact as fa

Range = tuple[float, float]

# From the palette of Okabe and Ito, whose colours the colour-blind can tell apart.
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555"
#: Five dashes for four colours: twenty looks.
COLORS = (BLUE, VERMILION, GREEN, PURPLE)
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))

# Any: the names that are keys differ between versions of matplotlib, and so does their type.
STYLE: Any = {
    "figure.dpi": 150,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.1,
    "font.sans-serif": ["DejaVu Sans", "sans-serif"],
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    # The same picture is the same file: the names of its parts are else drawn by lot.
    "svg.hashsalt": "fastact",
    # Letters as text: a tenth of the size of their outlines.
    "svg.fonttype": "none",
}

#: Points of a curve between two kinks: smooth to the eye. From 128 on, matplotlib leaves out of
#: files those that are on a straight line.
POINTS = 201
#: Drawn at least, and so far beyond the outermost kinks.
DEFAULT_RANGE, MARGIN = (-4.0, 4.0), 2.0
#: In inches; a further line of the legend makes a figure higher.
WIDTH, HEIGHT, LEGEND_LINE = 9.0, 4.0, 0.22
#: Limits closer than this meet: the sides of a point are a step of float64 away from it.
SAME = 1e-9


class Curve(NamedTuple):
    """An activation with values for all of its parameters."""

    activation: fa.Activation
    parameters: Mapping[str, float]

    @property
    def label(self) -> str:
        values = ", ".join(f"{name} = {value:g}" for name, value in self.parameters.items())
        return f"{self.activation.name} ({values})" if values else self.activation.name

    @property
    def kinks(self) -> list[float]:
        return [point for point, _ in self.activation.kinks_at(**self.parameters)]


def save(
    file: Path,
    names: Sequence[str],
    parameters: Mapping[str, float] | None = None,
    drawn_range: Range | None = None,
) -> None:
    """Draw activations and their derivatives into a file.

    Parameters
    ----------
    file : Path
        Where to; its suffix, ``.png`` or ``.svg``, says in which format.
    names : sequence of str
        The activations.
    parameters : mapping of str to float, optional
        Values of parameters, for each activation that has them; by default those of the rows.
    drawn_range : tuple of float, optional
        The lowest and the highest x; by default as far as shows all kinks.

    Raises
    ------
    ValueError
        If no activation has a parameter, or its value is out of its domain.
    """
    curves = [_curve(fa.get(name), parameters or {}) for name in names]
    for name in parameters or {}:
        if not any(name in curve.parameters for curve in curves):
            raise ValueError(f"{', '.join(names)}: no parameter is called {name!r}")
    # A date would make each run's file another one, and a version each matplotlib's.
    metadata = {"Date": None, "Creator": None} if file.suffix == ".svg" else {}
    with style():
        figure = functions_and_derivatives(curves, drawn_range or _range_of(curves))
        figure.savefig(file, metadata=metadata)


def save_gallery(directory: Path) -> list[Path]:
    """Draw each activation of the catalogue into an SVG file of its own.

    Parameters
    ----------
    directory : Path
        Where to; made if it is not there.

    Returns
    -------
    list of Path
        The files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = {name: directory / f"{name}.svg" for name in fa.names()}
    for name, file in files.items():
        save(file, [name])
    return list(files.values())


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of fastact, whatever the user's is."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def functions_and_derivatives(curves: Sequence[Curve], drawn_range: Range) -> Figure:
    """Draw activations on the left and their derivatives on the right."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_title("Function")
    right.set_title("Derivative")
    looks = zip(cycle(COLORS), cycle(DASHES), strict=False)
    for curve, (color, dashes) in zip(curves, looks, strict=False):
        look = {"label": curve.label, "color": color, "linestyle": dashes}
        for axes, verb in ((left, curve.activation), (right, curve.activation.grad)):
            draw(axes, partial(verb, **curve.parameters), curve.kinks, drawn_range, look)
    for axes in (left, right):
        axes.set(xlabel="x", xlim=drawn_range)
        axes.margins(y=0.08)
    add_legend(figure, *left.get_legend_handles_labels())
    return figure


def add_legend(figure: Figure, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Name the curves below the axes, in as many columns, up to three, as there is room for."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    for columns in range(min(3, len(labels)), 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns)
        if columns == 1 or legend.get_window_extent(renderer).width <= figure.bbox.width:
            break
        legend.remove()
    further_lines = math.ceil(len(labels) / columns) - 1
    figure.set_size_inches(WIDTH, HEIGHT + LEGEND_LINE * further_lines)


def draw(
    axes: Axes,
    function: Callable[[Any], Any],
    kinks: Sequence[float],
    drawn_range: Range,
    look: Mapping[str, Any],
) -> None:
    """Draw a function piece by piece between its kinks: no line joins the sides of a jump."""
    low, high = drawn_range
    inside = sorted({point for point in kinks if low < point < high})
    look = dict(look)
    for start, stop in pairwise([low, *inside, high]):
        x = np.linspace(np.nextafter(start, np.inf), np.nextafter(stop, -np.inf), POINTS)
        axes.plot(x, function(x), **look)
        look["label"] = "_same line"  # a label that begins so stays out of the legend
    for point in inside:
        _mark_jump(axes, function, point, look["color"])


def _mark_jump(axes: Axes, function: Callable[[Any], Any], point: float, color: str) -> None:
    """Fill the point that the function takes, and leave open the limits that it does not take."""
    taken = float(function(point))
    sides = np.nextafter(point, [-np.inf, np.inf])
    limits = [float(limit) for limit in function(sides) if abs(limit - taken) > SAME]
    if not limits:
        return
    marker: dict[str, Any] = {
        "marker": "o",
        "linestyle": "",
        "markersize": 7,
        "markeredgewidth": 1.8,
        "color": color,
        "zorder": 4,
    }
    for limit in limits:
        axes.plot(point, limit, markerfacecolor="white", **marker)
    axes.plot(point, taken, **marker)


def _curve(activation: fa.Activation, parameters: Mapping[str, float]) -> Curve:
    return Curve(
        activation, {p.name: parameters.get(p.name, p.default) for p in activation.parameters}
    )


def _range_of(curves: Sequence[Curve]) -> Range:
    kinks = [point for curve in curves for point in curve.kinks]
    low, high = DEFAULT_RANGE
    return (
        min([low, *(point - MARGIN for point in kinks)]),
        max([high, *(point + MARGIN for point in kinks)]),
    )
