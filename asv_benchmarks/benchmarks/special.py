"""Inputs that are slow on some processors or in some implementations, over ordinary ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import common


class Values:
    """Subnormal numbers, and NaN and infinities amid others: 1.0 is what users expect."""

    version = "1"
    unit = "times ordinary input"
    params = (
        common.ACTIVATIONS, ("cython", "numba"), common.DTYPES, ("forward", "backward"),
        ("subnormal", "special"),
    )  # fmt: skip
    param_names = ("activation", "backend", "dtype", "verb", "input")

    def track_ratio(self, name: str, backend: str, dtype: str, verb: str, kind: str) -> Any:
        g = common.inputs(dtype, "L2", seed=1)
        calls = [
            common.forward(name, x) if verb == "forward" else common.backward(name, x, g)
            for x in (common.inputs(dtype, "L2", kind), common.inputs(dtype, "L2"))
        ]
        with common.settings(backend):
            return common.ratio_of(*calls)


class Layout:
    """Arrays that are not plain, over a plain one of as many elements."""

    version = "1"
    unit = "times a plain array"
    params = (("relu", "gelu"), ("cython", "numba"), ("every other", "reversed", "transposed"))
    param_names = ("activation", "backend", "layout")

    def track_ratio(self, name: str, backend: str, layout: str) -> Any:
        plain = common.inputs("float32", "L2")
        x = {
            "every other": np.repeat(plain, 2)[::2],
            "reversed": plain[::-1],
            "transposed": plain.reshape(256, -1).T,
        }[layout]
        f = common.activation(name)
        with common.settings(backend):
            return common.ratio_of(lambda: f(x), lambda: f(plain))
