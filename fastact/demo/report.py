"""The figures of the demo in tables and words. Whatever is said here is read from the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich import box
from rich.table import Table

import fastact as fa
from fastact.demo.inference import Check
from fastact.demo.kernels import ACTIVATIONS, Comparison
from fastact.demo.network import (
    BATCH_SIZE,
    ERROR,
    HIDDEN_LAYERS,
    LEARNING_RATE,
    MOMENTUM,
    Digits,
    Labels,
    Run,
)

#: A first layer whose gradient is a hundredth of the last layer's, or less, hardly learns.
VANISHED = 0.01


def introduction(data: Digits, epochs: int, seed: int, available: Sequence[str]) -> list[str]:
    n_train, n_test = len(data.train_labels), len(data.test_labels)
    return [
        f"fastact {fa.__version__}, backend {fa.get_backend()}, "
        f"threads {fa.get_num_threads()} (BLAS: 1); available: {', '.join(available)}",
        f"Data: scans of handwritten digits from scikit-learn, 8 x 8 pixels; {n_train} for "
        f"training, {n_test} for testing, split by class (seed {seed}).",
        f"Network: plain NumPy, float32, {len(HIDDEN_LAYERS)} hidden layers of {HIDDEN_LAYERS[0]}; "
        "weights by He's rule (normal) for relu, by Glorot's (uniform) for sigmoid and tanh.",
        f"Training: {epochs} epochs of gradient descent on cross-entropy, batches of {BATCH_SIZE}, "
        f"learning rate {LEARNING_RATE}, momentum {MOMENTUM}: the same for all three.",
    ]


def progress_line(run: Run) -> str:
    return (
        f"trained with {run.name}: loss {run.losses[-1]:.2g}, "
        f"test accuracy {run.accuracies[-1]:.1%}, {run.seconds:.2f} s"
    )


# --- tables ------------------------------------------------------------------------------------


def training_table(runs: Sequence[Run], target: float) -> Table:
    table = _table("Training", "", *(run.name for run in runs))
    rows: dict[str, Callable[[Run], str]] = {
        "training loss (mean of the last epoch)": lambda run: f"{run.losses[-1]:.2g}",
        "test accuracy": lambda run: f"{run.accuracies[-1]:.1%}",
        f"epochs to {target:.0%} test accuracy": lambda run: _epochs_to(target, run),
        "seconds of training": lambda run: f"{run.seconds:.2f}",
        "seconds in activations": lambda run: f"{run.seconds_in_activations:.3f}",
        "share of activations": lambda run: f"{run.share_in_activations:.0%}",
        "first layer's gradient*": lambda run: f"{run.gradient_norms[0]:.1e}",
        "last layer's gradient*": lambda run: f"{run.gradient_norms[-1]:.1e}",
        "first relative to last": lambda run: f"{run.gradient_ratio:.1e}",
    }
    for label, text in rows.items():
        table.add_row(label, *map(text, runs))
    table.caption = "* norm of the gradient of the layer's weights, mean of the first epoch"
    return table


def _epochs_to(target: float, run: Run) -> str:
    epochs = run.epochs_to(target)
    return "not reached" if epochs is None else str(epochs)


def inference_table(checks: Sequence[Check]) -> Table:
    table = _table(
        "Inference on the test images",
        "network",
        "backend",
        "predicts\nas numpy",
        "largest\ndifference*",
        "first pass\nms",
        "best pass\nms",
    )
    for check in checks:
        table.add_row(
            check.network,
            check.backend,
            f"{check.n_same_predictions} of {check.n_images}",
            f"{check.largest_difference:.1e}" if check.largest_difference else "0",
            f"{check.first_seconds * 1e3:.2f}",
            f"{check.best_seconds * 1e3:.2f}",
        )
    table.caption = "* of the outputs before softmax, from those of the numpy backend"
    return table


def six_table(comparisons: Sequence[Comparison], runs: Sequence[Run]) -> Table:
    """Return the two readings of a claim: the time of a call, and the length of a training."""
    names = [activation.name for activation in ACTIVATIONS]
    table = _table("Is ReLU six times faster?", "", *names)
    for comparison in comparisons:
        ratios = comparison.ratios
        table.add_row(
            f"time of a call over relu's, {_bytes(comparison)}*",
            *(f"{ratios[name]:.1f}" for name in names),
        )
    updates = {run.name: _updates(run) for run in runs}
    table.add_row(
        f"updates to {ERROR:.0%} training error", *(updates.get(name, "") for name in names)
    )
    table.caption = (
        "* float32, forward, one thread, into an array that is there\n"
        "docs/relu.md measures both readings, with learning rates tuned for each activation"
    )
    return table


def _bytes(comparison: Comparison) -> str:
    n_bytes = comparison.n_bytes
    return f"{n_bytes >> 20} MiB" if n_bytes >= 1 << 20 else f"{n_bytes >> 10} KiB"


def _updates(run: Run) -> str:
    return "not reached" if run.updates_to_error is None else str(run.updates_to_error)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def notes(checks: Sequence[Check], missing: Mapping[str, str]) -> list[str]:
    """Return what a reader of the table of inference must know."""
    lines = [f"{name} is skipped: {reason}." for name, reason in missing.items()]
    if any(check.backend == "numba" for check in checks):
        lines.append("numba compiles in the first pass, or loads what it once compiled.")
    return lines


# --- words -------------------------------------------------------------------------------------


def conclusions(runs: Sequence[Run], checks: Sequence[Check], test_labels: Labels) -> list[str]:
    """Return in words what the figures show."""
    guessing = float(np.bincount(test_labels).max() / len(test_labels))
    return [
        "What the figures show:",
        *(_on_learning(run, guessing) for run in runs),
        _on_time(runs),
        _on_backends(checks),
    ]


def _on_learning(run: Run, guessing: float) -> str:
    ratio, accuracy = run.gradient_ratio, run.accuracies[-1]
    gradient = f"the gradient reaches the first layer with {ratio:.0%} of the last layer's size"
    if ratio <= VANISHED:
        gradient = (
            "the gradient vanishes on its way back, the first layer's is "
            f"1/{1 / ratio:,.0f} of the last layer's"
        )
    learned = f"the network recognises {accuracy:.1%} of the test images"
    if accuracy < 2 * guessing:
        learned += f", where naming one digit always would give {guessing:.1%}"
    return f"{run.name}: {gradient}; {learned}."


def _on_time(runs: Sequence[Run]) -> str:
    shares = ", ".join(f"{run.share_in_activations:.0%} with {run.name}" for run in runs)
    return f"Activations, forward and backward, take this share of the training: {shares}."


def _on_backends(checks: Sequence[Check]) -> str:
    others = [check for check in checks if check.backend != "numpy"]
    if not others:
        return "Only the numpy backend is available here: there is nothing to compare it with."
    wrong = [f"{check.backend} with {check.network}" for check in others if not check.agrees]
    if wrong:
        return f"THE BACKENDS DIFFER: predictions are not those of numpy in {', '.join(wrong)}."
    names = " and ".join(dict.fromkeys(check.backend for check in others))
    largest = max(check.largest_difference for check in others)
    outputs = f"differ by at most {largest:.1e}" if largest else "are the same to the last bit"
    return f"Every prediction of {names} is that of numpy; the outputs {outputs}."
