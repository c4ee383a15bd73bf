"""Measure what docs/relu.md tells: is ReLU six times faster?

    python tools/measure_relu.py kernels       times of calls, into docs/relu/kernels.json
    python tools/measure_relu.py convergence   training, into docs/relu/convergence.json

About six and five minutes, with nothing else running; then: python tools/write_relu_page.py
"""

from __future__ import annotations

import datetime
import json
import math
import random
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib import metadata
from itertools import chain, count, islice, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from convolutional_network import Convolution, Dense, Layer, Network
from threadpoolctl import threadpool_limits

import fastact as fa
from fastact import bench
from fastact.bench import measure, peers, report
from fastact.bench.cells import FROM_OUTPUT, Cell, operands
from fastact.demo.network import (
    BATCH_SIZE,
    MOMENTUM,
    Digits,
    Stopwatch,
    accuracy,
    batches,
    descend,
    digits,
)

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "relu"


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    facts = report.machine({})
    return {
        "date": datetime.date.today().isoformat(),
        "processor": facts.processor,
        "cpus": facts.usable_cpus,
        "caches": _caches(),
        "instruction_set": facts.configuration["extension"].get("instruction_set", "none"),
        "system": facts.system,
        "versions": {**facts.configuration["versions"], **dict(_versions())},
    }


def _caches() -> dict[str, str]:
    """Return the sizes of the data caches of a processor, as Linux tells them."""
    caches = {}
    for directory in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (directory / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            caches[f"L{level}"] = size
    return caches


def _versions() -> Iterator[tuple[str, str]]:
    for package in ("torch", "scikit-learn"):
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue


# --- kernels -----------------------------------------------------------------------------------

ACTIVATIONS = ("relu", "sigmoid", "tanh", "softplus", "gelu")
DIRECTIONS = ("forward", "backward")
#: Bytes of an array: two or three of them fit into the first, second and third cache, or none.
SIZES = (1 << 13, 1 << 18, 1 << 22, 1 << 26)


class Source(NamedTuple):
    """Who computes, and in which ways it is measured.

    Outputs are "out", an array that is there; "new", one that the call makes, of memory that may
    have been used before; "fresh", one of pages that the system has to give.
    """

    title: str
    library: str = "fastact"
    backend: str = "cython"
    precision: str = "fast"
    outputs: tuple[str, ...] = ("out",)
    threads: tuple[int, ...] = (1,)


SOURCES = (
    Source("fastact", outputs=("out", "new", "fresh"), threads=(1, 2)),
    Source("fastact, faithful", precision="faithful"),
    Source("fastact, Numba", backend="numba"),
    Source("fastact, NumPy backend", backend="numpy"),
    Source("NumPy formulas", library="numpy", outputs=("new",)),
    # Into an array that is there its relu takes longer than into a new one.
    Source("PyTorch", library="torch", outputs=("new",), threads=(1, 2)),
)
#: Functions take turns in so many orders, drawn by lot: one gains or loses by what the one before
#: it has left in the caches. Each order is measured as much as the effort says.
ORDERS, EFFORT = 6, measure.Effort(seconds=0.2, least=2, most=9)
LOT = random.Random(0)


class FromInput(Cell):
    """A cell whose backward gets x also where it could do with y = f(x)."""

    from_output = False


def kernels(
    sources: Iterable[Source] = SOURCES,
    sizes: Sequence[int] = SIZES,
    effort: measure.Effort = EFFORT,
) -> dict[str, Any]:
    """Return the times of all activations, taken in turn, and their ratios to that of relu."""
    libraries = {library.name: library for library in peers.load(("numpy", "torch"))[0]}
    rows = []
    for source in sources:
        if source.library not in libraries:
            print(f"{source.title} is skipped: {source.library} is not installed")
            continue
        library = libraries[source.library]
        with bench.settings(source.backend, source.precision), library.context():
            for cell in product(DIRECTIONS, source.threads, source.outputs, sizes):
                print(source.title, *cell, flush=True)
                rows += _measure(source, library, *cell, effort)
    return {"measured": machine(), "cells": rows}


def _measure(
    source: Source,
    library: peers.Library,
    direction: str,
    threads: int,
    output: str,
    size: int,
    effort: measure.Effort,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each function; its ratios are of times in the same round."""
    library.set_threads(threads)
    kept = "out" if output == "out" else "new"
    cells = {
        name: Cell(name, direction, "float32", size // 4, threads, kept) for name in ACTIVATIONS
    }
    if direction == "backward" and source.library == "fastact":
        cells |= {
            f"{name} from x": FromInput(*cells[name]) for name in cells if name in FROM_OUTPUT
        }
    prepared = {
        name: library.prepare(cell, operands(cell, "normal")) for name, cell in cells.items()
    }
    calls = {name: call for name, call in prepared.items() if call is not None}
    times: dict[str, list[float]] = {name: [] for name in calls}
    with _no_pool() if output == "fresh" else nullcontext():
        for _ in range(ORDERS):
            order = LOT.sample(list(calls), len(calls))
            in_turn = {name: calls[name] for name in order}
            samples, _ = measure.time_in_turn(cells["relu"], in_turn, {}, None, effort)
            for name in order:
                times[name] += samples[name]
    for name in calls:
        ratios = [time / relu for time, relu in zip(times[name], times["relu"], strict=True)]
        yield {
            "source": source.title,
            "direction": direction,
            "bytes": size,
            "threads": threads,
            "output": output,
            "activation": name,
            "nanoseconds": round(statistics.median(times[name]), 1),
            "ratio": round(statistics.median(ratios), 3),
            "quartiles": [round(float(q), 3) for q in np.quantile(ratios, [0.25, 0.75])],
            "rounds": len(ratios),
        }


@contextmanager
def _no_pool() -> Iterator[None]:
    """Let large outputs come from the system and go back to it."""
    pool = fa.show_config("dicts")["pool"]
    fa.set_pool_limit(0)
    try:
        yield
    finally:
        fa.set_pool_limit(pool.get("limit", 0))  # there is none without the extension


# --- convergence -------------------------------------------------------------------------------


class Setting(NamedTuple):
    """A network, and the scale of its initial weights with each activation."""

    title: str
    layers: tuple[Layer, ...]
    gains: Mapping[str, float]


#: With these the variance survives a layer, if its inputs are small: 1 / f'(0), sqrt(2) for relu.
GAINS = {"relu": 2**0.5, "tanh": 1.0, "sigmoid": 4.0}
FOUR_LAYERS = (Convolution(8), Convolution(16), Dense(64), Dense(10))
EIGHT_LAYERS = (*FOUR_LAYERS[:2], *[Dense(64)] * 5, Dense(10))
SETTINGS = (
    Setting("four layers", FOUR_LAYERS, GAINS),
    Setting("four layers, one initialisation for all", FOUR_LAYERS, dict.fromkeys(GAINS, 1.0)),
    Setting("eight layers", EIGHT_LAYERS, GAINS),
)
#: The training errors to which updates are counted, and for which the learning rate is tuned: that
#: of the claim, and one that is harder.
TARGETS = (0.25, 0.05)
#: Those on the way, which are recorded too.
ERRORS = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05)
RATES = tuple(2.0**k for k in range(-8, 1))
MOST_EPOCHS = 20
TUNING_SEEDS = (100, 101, 102)
SEEDS = tuple(range(10))
#: The training error is looked at after this share of the updates made, and at first after each.
RESOLUTION = 1 / 16


class Arrival(NamedTuple):
    """When a training error was reached."""

    error: float
    updates: int
    seconds: float


def convergence(
    settings: Iterable[Setting] = SETTINGS,
    rates: Sequence[float] = RATES,
    tuning_seeds: Sequence[int] = TUNING_SEEDS,
    seeds: Sequence[int] = SEEDS,
    most_epochs: int = MOST_EPOCHS,
) -> dict[str, Any]:
    """Return how soon each activation reaches each training error, at its best learning rate."""
    data = digits(seed=0)
    updates_per_epoch = -(-len(data.train_labels) // BATCH_SIZE)
    budget = most_epochs * updates_per_epoch
    results: dict[str, Any] = {
        "measured": machine(),
        "protocol": {
            "images": len(data.train_labels),
            "batch_size": BATCH_SIZE,
            "updates_per_epoch": updates_per_epoch,
            "most_epochs": most_epochs,
            "momentum": MOMENTUM,
            "rates": rates,
            "targets": TARGETS,
            "tuning_seeds": tuning_seeds,
            "seeds": seeds,
        },
        "settings": [],
        "tuning": [],
        "runs": [],
    }
    # Matrices this small gain nothing from threads. A rate that is too high may overflow.
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        for setting in settings:
            layers = [f"{type(layer).__name__.lower()} {layer.size}" for layer in setting.layers]
            facts = {"title": setting.title, "layers": layers, "gains": setting.gains}
            results["settings"].append(facts)
            rows = [
                _tuning(setting, name, data, rate, tuning_seeds, budget)
                for name, rate in product(setting.gains, rates)
            ]
            results["tuning"] += rows
            for target in TARGETS:
                best = {name: _best_rate(rows, name, target, budget) for name in setting.gains}
                # In turn, so that a slow spell of the machine meets all activations.
                for seed, name in product(seeds, best):
                    arrivals = train(setting, name, data, best[name], seed, budget, target)
                    results["runs"].append(
                        {
                            "setting": setting.title,
                            "target": target,
                            "activation": name,
                            "rate": best[name],
                            "seed": seed,
                            "arrivals": arrivals,
                        }
                    )
    return results


def _tuning(
    setting: Setting, name: str, data: Digits, rate: float, seeds: Sequence[int], budget: int
) -> dict[str, Any]:
    """Return the updates to each target with a learning rate: None where it was not reached."""
    print(setting.title, name, rate, flush=True)
    runs = [train(setting, name, data, rate, seed, budget, min(TARGETS)) for seed in seeds]
    updates = [{arrival.error: arrival.updates for arrival in arrivals} for arrivals in runs]
    return {
        "setting": setting.title,
        "activation": name,
        "rate": rate,
        "updates": {str(target): [run.get(target) for run in updates] for target in TARGETS},
    }


def _best_rate(tuning: Sequence[dict[str, Any]], name: str, target: float, budget: int) -> float:
    """Return the rate with the least mean of updates; what never arrives took the whole budget."""
    means = {
        row["rate"]: statistics.mean(n or budget for n in row["updates"][str(target)])
        for row in tuning
        if row["activation"] == name
    }
    return min(means, key=means.__getitem__)


def train(
    setting: Setting,
    name: str,
    data: Digits,
    rate: float,
    seed: int,
    budget: int,
    target: float,
) -> list[Arrival]:
    """Train by mini-batch gradient descent until a target is reached, or so many updates made.

    The time is that of the updates, without looking at the error.
    """
    rng = np.random.default_rng(seed)
    side = math.isqrt(data.train_images.shape[1])
    images, labels = data.train_images.reshape(-1, side, side, 1), data.train_labels
    network = Network(setting.layers, fa.get(name), setting.gains[name], images[0], rng)
    velocities = [np.zeros_like(parameter) for parameter in network.parameters]
    epochs = chain.from_iterable(batches(len(labels), rng) for _ in count())
    waiting = [error for error in ERRORS if error >= target]
    arrivals: list[Arrival] = []
    in_training = Stopwatch()
    next_look = 1
    for updates, batch in enumerate(islice(epochs, budget), 1):
        with in_training:
            gradients = network.gradients(images[batch], labels[batch])
            descend(network.parameters, velocities, gradients, rate)
        if updates < next_look:
            continue
        next_look = updates + max(1, int(updates * RESOLUTION))
        error = 1 - accuracy(network, images, labels)
        while waiting and error <= waiting[0]:
            arrivals.append(Arrival(waiting.pop(0), updates, round(in_training.seconds, 5)))
        if not waiting or not np.isfinite(network.biases[-1]).all():
            break
    return arrivals


# --- the command -------------------------------------------------------------------------------

MEASUREMENTS = {"kernels": kernels, "convergence": convergence}


def write(file: Path, results: Mapping[str, Any]) -> None:
    """Write results as JSON, one cell or run a line."""
    text = json.dumps(results, indent=1)
    text = re.sub(r"\n {3,}|\n {2}(?=[\]}])", " ", text)
    file.write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in MEASUREMENTS:
        print(__doc__)
        return 2
    RESULTS.mkdir(exist_ok=True)
    write(RESULTS / f"{arguments[0]}.json", MEASUREMENTS[arguments[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
