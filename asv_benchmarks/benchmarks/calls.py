"""What a call costs before its elements do, and where its result goes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import common

_HOW = (
    "new", "out", "in place", "backward", "grad", "value_and_grad", "number", "keyword", "array",
    "backend", "strided", "list", "np.abs",
)  # fmt: skip


class Overhead:
    """Calls on 16 float32 elements. ``np.abs`` is there to tell a slow machine from slow code."""

    version = "1"
    unit = "seconds"
    params = (_HOW,)
    param_names = ("how",)

    def track_time(self, how: str) -> Any:
        x = np.linspace(-4, 4, 16, dtype=np.float32)
        out = np.zeros_like(x)
        relu, leaky_relu = common.activation("relu"), common.activation("leaky_relu")
        calls = {
            "new": partial(relu, x),
            "out": partial(relu, x, out=out),
            "in place": partial(relu, out, out=out),
            "backward": partial(relu.backward, x, x),
            "grad": partial(relu.grad, x),
            "value_and_grad": partial(relu.value_and_grad, x),
            "number": partial(leaky_relu, x, 0.2),
            "keyword": partial(leaky_relu, x, negative_slope=0.2),
            "array": partial(leaky_relu, x, np.full(16, 0.2)),
            "backend": partial(relu, x, backend="cython"),
            "strided": partial(relu, np.repeat(x, 2)[::2]),
            "list": partial(relu, x.tolist()),
            "np.abs": partial(np.abs, x),
        }
        with common.settings("cython"):
            return common.seconds_of(calls[how])


class Output:
    """A new array for each result, one that is there, or the input itself."""

    version = "1"
    unit = "seconds"
    params = (
        ("relu", "sigmoid", "gelu"), ("cython", "numba"), tuple(common.SIZES),
        ("new", "out", "in place"),
    )  # fmt: skip
    param_names = ("activation", "backend", "size", "output")

    def track_time(self, name: str, backend: str, size: str, output: str) -> Any:
        f, x = common.activation(name), common.inputs("float32", size).copy()
        out = {"new": None, "out": np.zeros_like(x), "in place": x}[output]
        with common.settings(backend):
            return common.seconds_of(partial(f, x, out=out))
