"""``fastact demo``: training and inference on handwritten digits, with fastact's activations.

``network`` is the network and its training, ``inference`` compares the backends, ``kernels`` the
times of activations, ``pictures`` draws, ``report`` puts the figures into tables and words.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import fastact as fa
from fastact.demo import inference, kernels, network, pictures, report
from fastact.terminal import make_console

ACTIVATIONS = (fa.relu, fa.sigmoid, fa.tanh)
#: The test accuracy to which epochs are counted.
TARGET = 0.95
#: Columns of the report where there is no terminal to ask.
WIDTH_OF_FILES = 100


def run(output: Path, epochs: int, seed: int) -> bool:
    """Train, compare, draw and report.

    Parameters
    ----------
    output : Path
        An existing directory, for the pictures.
    epochs : int
        Passes over the training images, for each activation.
    seed : int
        Seed of the split, the initial weights and the order of the images.

    Returns
    -------
    bool
        Whether all backends predict the same.
    """
    console = make_console(WIDTH_OF_FILES)
    data = network.digits(seed)
    available, missing = inference.backends()
    console.print(*report.introduction(data, epochs, seed, available), "", sep="\n")

    runs, checks = [], []
    # Matrices this small gain nothing from threads of BLAS, and between two products these spin,
    # which takes the processors from the activations.
    with threadpool_limits(1, user_api="blas"), _progress(console) as progress:
        for activation in ACTIVATIONS:
            task = progress.add_task(f"training with {activation.name}", total=epochs)
            after_epoch = partial(progress.advance, task)
            runs.append(network.train(activation, data, epochs, seed, after_epoch))
            console.print(report.progress_line(runs[-1]))
        task = progress.add_task("inference", total=len(available) * len(runs))
        for trained, backend in product(runs, available):
            checks.append(inference.check(trained.network, data.test_images, backend))
            progress.advance(task)
        progress.add_task("timing", total=None)
        comparisons = [kernels.compare(size) for size in (kernels.IN_CACHE, kernels.IN_MEMORY)]
        progress.add_task("drawing", total=None)
        files = pictures.save_all(output, runs, TARGET)

    console.print("", report.training_table(runs, TARGET), "", sep="\n")
    console.print(report.inference_table(checks))
    console.print(*report.notes(checks, missing), "", sep="\n")
    console.print(report.six_table(comparisons, runs), "", sep="\n")
    console.print(*report.conclusions(runs, checks, data.test_labels), "", sep="\n")
    console.print("Pictures:", *files, sep="\n", soft_wrap=True)
    return all(check.agrees for check in checks)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )
