"""Inference with every backend: do they predict the same, and how fast?"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np

import fastact as fa
from fastact.demo.network import Array, Network

#: A network is timed for this long, and at least for so many passes over the images.
TIMED_SECONDS = 0.25
LEAST_PASSES = 5


class Check(NamedTuple):
    """One network run by one backend, against the NumPy backend."""

    network: str
    backend: str
    n_images: int
    n_same_predictions: int
    #: Largest absolute difference of the outputs before softmax.
    largest_difference: float
    #: The first pass over the images, in which Numba compiles, and the best of those after it.
    first_seconds: float
    best_seconds: float

    @property
    def agrees(self) -> bool:
        return self.n_same_predictions == self.n_images


def backends() -> tuple[list[str], dict[str, str]]:
    """Return the backends that this installation can run, and why it cannot run the others."""
    states = (fa.show_config("dicts") or {})["backends"]
    missing = {name: reason for name, reason in states.items() if reason != "available"}
    return [name for name in states if name not in missing], missing


def check(network: Network, images: Array, backend: str) -> Check:
    """Run a network with a backend, and compare what comes out with the NumPy backend."""
    with fa.use_backend("numpy"):
        expected = network.logits(images)
    with fa.use_backend(backend):
        logits, first_seconds = _timed_pass(network, images)
        times = [_timed_pass(network, images)[1] for _ in range(LEAST_PASSES)]
        while sum(times) < TIMED_SECONDS:
            times.append(_timed_pass(network, images)[1])
    return Check(
        network=network.activation.name,
        backend=backend,
        n_images=len(images),
        n_same_predictions=int((logits.argmax(axis=1) == expected.argmax(axis=1)).sum()),
        largest_difference=float(np.abs(logits - expected).max()),
        first_seconds=first_seconds,
        best_seconds=min(times),
    )


def _timed_pass(network: Network, images: Array) -> tuple[Array, float]:
    start = perf_counter()
    logits = network.logits(images)
    return logits, perf_counter() - start
