"""The pictures: activations with their derivatives, and what the training showed.

Figures are made without pyplot, so no display is needed and no global state is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

import fastact as fa
from fastact.demo.network import Run
from fastact.plot import BLUE, GREEN, GREY, VERMILION, draw, style

COLORS = {"relu": BLUE, "softplus": VERMILION, "sigmoid": VERMILION, "tanh": GREEN}
DASHES = {"relu": "-", "softplus": "--", "sigmoid": "--", "tanh": "-."}


def save_all(directory: Path, runs: Sequence[Run], target: float) -> list[Path]:
    """Draw every picture into a directory and return the files."""
    with style():
        figures = {
            "relu.png": functions_and_derivatives("ReLU and its derivative", [fa.relu]),
            "relu_and_softplus.png": functions_and_derivatives(
                "ReLU and its smooth sister softplus", [fa.relu, fa.softplus]
            ),
            "sigmoid_and_tanh.png": functions_and_derivatives(
                "Sigmoid and tanh with their derivatives", [fa.sigmoid, fa.tanh], span=6.0
            ),
            "loss_curves.png": loss_curves(runs, target),
            "gradients.png": gradients(runs),
        }
        for name, figure in figures.items():
            figure.savefig(directory / name)
    return [directory / name for name in figures]


# --- functions ---------------------------------------------------------------------------------


def functions_and_derivatives(
    title: str, activations: Sequence[fa.Activation], span: float = 4.0
) -> Figure:
    """Draw activations on the left and their derivatives on the right."""
    figure, (left, right) = _panels(title)
    left.set_title("Function")
    right.set_title("Derivative")
    for activation in activations:
        kinks = [point for point, _ in activation.kinks_at()]
        for axes, label, verb in (
            (left, f"{activation.name}(x) = {activation.formula}", activation),
            (right, f"{activation.name}'(x) = {activation.derivative}", activation.grad),
        ):
            look = {"label": _with_defaults(label, activation), **_look(activation.name)}
            required = {p.name: p.default for p in activation.parameters if p.required}
            draw(axes, partial(verb, **required), kinks, (-span, span), look)
    for axes in (left, right):
        axes.set(xlabel="x", xlim=(-span, span))
        axes.margins(y=0.08)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return figure


def _with_defaults(formula: str, activation: fa.Activation) -> str:
    """Return the formula, followed by the values of its parameters."""
    return ", ".join([formula, *(f"{p.name} = {p.default:g}" for p in activation.parameters)])


# --- training ----------------------------------------------------------------------------------


def loss_curves(runs: Sequence[Run], target: float) -> Figure:
    """Draw training loss and test accuracy over the epochs."""
    figure, (left, right) = _panels(
        "Training on handwritten digits: one network, three activations"
    )
    left.set(title="Training loss", ylabel="cross-entropy (log scale)", yscale="log")
    right.set(title="Test accuracy", ylabel="images recognised", ylim=(0, 1.03))
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.axhline(target, color=GREY, linewidth=1, linestyle=":", label=f"{target:.0%} accuracy")
    for run in runs:
        epochs = range(1, len(run.losses) + 1)
        look = {**_look(run.name), "marker": "o" if len(epochs) == 1 else ""}
        left.plot(epochs, run.losses, **look)
        right.plot(epochs, run.accuracies, label=run.name, **look)
    for axes in (left, right):
        axes.set(xlabel="epoch", xlim=(0, len(runs[0].losses) + 1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    figure.legend(loc="outside lower center", ncols=len(runs) + 1)
    return figure


def gradients(runs: Sequence[Run]) -> Figure:
    """Draw the size of the gradient in each layer of the networks."""
    figure, (axes,) = _panels("The gradient on its way back through the layers", 1)
    for run in runs:
        layers = range(1, len(run.gradient_norms) + 1)
        axes.plot(layers, run.gradient_norms, marker="o", label=run.name, **_look(run.name))
    axes.set(
        title="Mean over the batches of the first epoch",
        xlabel="layer of weights (1: at the pixels, last: at the classes)",
        ylabel="norm of the gradient (log scale)",
        yscale="log",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=len(runs))
    return figure


# --- looks -------------------------------------------------------------------------------------


def _panels(title: str, n_panels: int = 2) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(2.2 + 4.0 * n_panels, 4.6), layout="constrained")
    figure.suptitle(title, fontsize=14, fontweight="bold")
    return figure, figure.subplots(1, n_panels, squeeze=False)[0]


def _look(name: str) -> dict[str, Any]:
    return {"color": COLORS.get(name, GREY), "linestyle": DASHES.get(name, "-")}
