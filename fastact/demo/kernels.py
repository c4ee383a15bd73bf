"""How many times as long as relu do functions with an exponential take?"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from time import perf_counter
from timeit import Timer
from typing import NamedTuple

import numpy as np

import fastact as fa

ACTIVATIONS = (fa.relu, fa.sigmoid, fa.tanh, fa.softplus, fa.gelu)
#: Elements of float32: 8 KiB, which the nearest cache holds together with the output, and 64 MiB.
IN_CACHE, IN_MEMORY = 1 << 11, 1 << 24
#: A size is timed for this long, and at least in so many rounds.
SECONDS, LEAST_ROUNDS = 0.5, 3
#: Elements in one sample, in several calls if arrays are small: a tenth of a millisecond or more.
SAMPLE_ELEMENTS = 1 << 20


class Comparison(NamedTuple):
    """The time of a call over that of relu, by the name of the activation."""

    n_bytes: int
    ratios: Mapping[str, float]


def compare(size: int) -> Comparison:
    """Time all in turn, so that the speed of the machine cancels: forward, into a warm output."""
    x = np.random.default_rng(0).standard_normal(size, np.float32)
    out = np.zeros_like(x)
    timers = {
        f.name: Timer("f(x, out=out)", globals={"f": f, "x": x, "out": out}) for f in ACTIVATIONS
    }
    calls = max(1, SAMPLE_ELEMENTS // size)
    rounds: list[dict[str, float]] = []
    deadline = perf_counter() + SECONDS
    with fa.use_threads(1):
        while len(rounds) < LEAST_ROUNDS or perf_counter() < deadline:
            rounds.append({name: timer.timeit(calls) for name, timer in timers.items()})
    ratios = {name: median(times[name] / times["relu"] for times in rounds) for name in timers}
    return Comparison(x.nbytes, ratios)
