"""What the benchmarks share: activations, backends and sizes, and how a call is timed.

The lists are written out: asv identifies a series by its parameters, which must depend neither on
what an old version has nor on what is installed. What is missing is skipped. The test
tests/test_benchmarks.py says what the lists lack.

A time is measured here, not by asv's ``time_``: asv_runner 0.3 calls a function that has a
``setup`` once for each sample, and a kernel of 200 ns is lost in one call. A benchmark that returns
a dictionary of samples is summarised and compared by asv as its own timings are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from timeit import Timer
from typing import Any

import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented

import fastact as fa

if os.environ.get("FASTACT_BENCHMARK_PREIMPORT"):
    # Under asv's forkserver, once for all: it takes longer than a measurement.
    import numba  # noqa: F401

ACTIVATIONS = (
    "identity", "relu", "relu6", "squared_relu", "leaky_relu", "prelu", "rrelu", "threshold",
    "clipped_linear", "hard_tanh", "hard_sigmoid", "hard_swish", "hard_shrink", "soft_shrink",
    "softsign", "squareplus", "sparse_plus", "sparse_sigmoid", "dish", "exponential", "sigmoid",
    "log_sigmoid", "tanh", "scaled_tanh", "tanhshrink", "softplus", "silu", "gelu", "gelu_tanh",
    "quick_gelu", "mish", "elu", "celu", "selu",
)  # fmt: skip
BACKENDS = ("cython", "numba", "numpy")
DTYPES = ("float32", "float64")
#: Bytes of one array, by the memory that two of them fit into on most processors.
SIZES = {"L1": 1 << 13, "L2": 1 << 18, "L3": 1 << 22, "memory": 1 << 26}
#: For parameters that have no default: as in tests/validation_set.
PARAMETERS = {"prelu": (0.25,), "threshold": (0.5, 1.0)}

#: What a measurement may take, in seconds, once it knows how long a call is.
SECONDS = float(os.environ.get("FASTACT_BENCHMARK_SECONDS", "0.1"))
#: Of one sample, and of the shortest run whose time is believed.
_LEAST_SECONDS = 0.0005
_MOST_SAMPLES = 15
_FEWEST_SAMPLES = 3
# Runs of a sample, of which the shortest counts: the others met an interrupt.
_RUNS = 3

Call = Callable[[], Any]


# --- timing ------------------------------------------------------------------------------------


def _calls_in_a_run(call: Call) -> int:
    call()  # compiles, fills caches and tables
    number = 1
    while True:
        seconds = Timer(call).timeit(number)
        if seconds >= _LEAST_SECONDS:
            return number
        number = max(2 * number, int(number * _LEAST_SECONDS / max(seconds, 1e-9)))


def _seconds(call: Call, number: int) -> float:
    return Timer(call).timeit(number) / number


def _count_of_samples(seconds: float) -> int:
    return max(_FEWEST_SAMPLES, min(_MOST_SAMPLES, int(SECONDS / (_RUNS * seconds))))


def seconds_of(call: Call) -> dict[str, Any]:
    """Return the seconds of a call, as samples for asv."""
    number = _calls_in_a_run(call)
    count = _count_of_samples(number * _seconds(call, number))
    samples = [min(_seconds(call, number) for _ in range(_RUNS)) for _ in range(count)]
    return {"samples": samples, "number": number}


def ratio_of(call: Call, reference: Call) -> dict[str, Any]:
    """Return the time of ``call`` over that of ``reference``, as samples for asv.

    They take turns within each sample, so that the speed of the machine cancels.
    """
    number, other = _calls_in_a_run(call), _calls_in_a_run(reference)
    both = number * _seconds(call, number) + other * _seconds(reference, other)
    samples = []
    for _ in range(_count_of_samples(both)):
        pairs = [(_seconds(call, number), _seconds(reference, other)) for _ in range(_RUNS)]
        ratio = min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)
        samples.append(round(ratio, 4))
    return {"samples": samples, "number": number}


# --- what is called ----------------------------------------------------------------------------


def activation(name: str) -> Any:
    """Return the activation of this name; where the version has none, skip the benchmark."""
    if name not in fa.names():
        raise SkipNotImplemented(f"this version has no {name}")
    return fa.get(name)


@contextmanager
def settings(backend: str, threads: int = 1) -> Iterator[None]:
    """Compute with a backend and threads; where the version or the environment lacks it, skip."""
    with ExitStack() as stack:
        try:
            stack.enter_context(fa.use_backend(backend))
            fa.relu([0.0])  # old versions look for it here
        except (AttributeError, ImportError, RuntimeError, ValueError) as error:
            # AttributeError: of a newer version, pip leaves a folder without modules.
            raise SkipNotImplemented(str(error)) from None
        stack.enter_context(fa.use_threads(threads))
        yield


@cache
def inputs(dtype: str, size: str, kind: str = "ordinary", seed: int = 0) -> np.ndarray:
    """Return numbers as they come before an activation; about a fifth of them beyond 2.5."""
    count = SIZES[size] // np.dtype(dtype).itemsize
    x = np.random.default_rng(seed).normal(0, 2, count).astype(dtype)
    if kind == "subnormal":
        x *= np.finfo(dtype).tiny / 4
    elif kind == "special":
        x[::7], x[1::7], x[2::7] = np.nan, np.inf, -np.inf
    return x


def forward(name: str, x: np.ndarray) -> Call:
    """Return a call that computes f(x) into an array that is there already."""
    return partial(activation(name), x, *PARAMETERS.get(name, ()), out=np.zeros_like(x))


def backward(name: str, x: np.ndarray, g: np.ndarray) -> Call:
    """Return a call that computes g f'(x) into an array that is there already."""
    f = activation(name)
    out: Any = np.zeros_like(x)
    if name == "prelu":
        out = (out, None)  # and the gradient of the weight, a number
    return partial(f.backward, g, x, *PARAMETERS.get(name, ()), out=out)


def value_and_grad(name: str, x: np.ndarray) -> Call:
    """Return a call that computes f(x) and f'(x) into arrays that are there already."""
    out = np.zeros_like(x), np.zeros_like(x)
    return partial(activation(name).value_and_grad, x, *PARAMETERS.get(name, ()), out=out)
