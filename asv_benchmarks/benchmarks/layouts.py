"""Calls on anything but a plain array, over NumPy's ufunc on the same objects.

The limit is 1.0, for scalars 1.2. ``fastact bench --layouts`` has more layouts and functions.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from . import common

#: The ufunc of each activation, and its arguments after x.
_UFUNCS: dict[str, tuple[Any, ...]] = {"tanh": (np.tanh,), "relu": (np.maximum, 0)}


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, shape).astype(np.float32)


#: Each makes x.
_LAYOUTS = {
    "columns of 4 x 512": lambda: _normal(4, 512)[:, :128],
    "columns of 64 x 2048": lambda: _normal(64, 2048)[:, :512],
    "columns of 1024 x 2048": lambda: _normal(1024, 2048)[:, :1024],
    "even columns": lambda: _normal(64, 512)[:, ::2],
    "short, every other": lambda: _normal(32)[::2],
    "reversed": lambda: _normal(64, 512)[::-1, ::-1],
    "F order": lambda: np.asfortranarray(_normal(64, 512)),
    "NHWC crop": lambda: _normal(2, 32, 30, 30)[:, :, 1:-1, 1:-1].transpose(0, 2, 3, 1),
    "broadcast": lambda: np.broadcast_to(_normal(64, 1), (64, 512)),
    "byte-swapped": lambda: _normal(64, 512).astype(">f4"),
    "int32 columns": lambda: _normal(64, 2048).astype(np.int32)[:, :512],
    "float16 columns": lambda: _normal(64, 2048).astype(np.float16)[:, :512],
    "out= columns": lambda: _normal(64, 512),
    "0-d array": lambda: np.array(0.75, np.float32),
    "NumPy scalar": lambda: np.float32(0.75),
    "Python float": lambda: 0.75,
}


class OverNumPy:
    """Each call returns a new array, but for "out= columns", on one thread."""

    version = "1"
    unit = "times NumPy"
    params = (tuple(_UFUNCS), common.BACKENDS, tuple(_LAYOUTS))
    param_names = ("activation", "backend", "layout")

    def track_ratio(self, name: str, backend: str, layout: str) -> Any:
        x = _LAYOUTS[layout]()
        out = {"out": _normal(64, 2048)[:, :512]} if layout == "out= columns" else {}
        ufunc, *arguments = _UFUNCS[name]
        call = partial(common.activation(name), x, **out)
        with common.settings(backend):
            return common.ratio_of(call, partial(ufunc, x, *arguments, **out))
