"""The Cython backend: typed loops without the GIL, vectorised by the compiler, OpenMP threads.

``exponential_free.pxi``, ``float32.pxi`` and ``float64.pxi`` hold the scalar functions f and f',
``primitives.pxi`` and ``double_double.pxi`` the arithmetic beneath, ``loops.pyx.in`` the loops over
arrays, ``_core.pyx`` the fast path and the threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastact.catalogue import Row


@contextmanager
def _waiting_threads_sleep() -> Iterator[None]:
    """Have OpenMP, if it is loaded in this block, put threads that wait to sleep.

    By default they spin, and fight for the processors with whoever else has threads: a matrix
    product (OpenBLAS) and an activation in turn took fifty times longer on two processors. OpenMP
    reads the variable when it is loaded and never again; what the user has set stands.
    """
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        yield
        return
    os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        del os.environ["OMP_WAIT_POLICY"]


with _waiting_threads_sleep():
    from fastact.cython_backend import _loops
    from fastact.cython_backend._core import (
        FastPath,
        build_information,
        connect_settings,
        execute,
        set_process_settings,
        stay_serial,
    )

__all__ = [
    "FastPath",
    "build_information",
    "connect_settings",
    "loop_addresses",
    "run",
    "set_process_settings",
    "stay_serial",
]

_ADDRESSES = _loops.addresses()


def loop_addresses(name: str, verb: str) -> tuple[int, int]:
    """Return the addresses of the float32 and the float64 loop, 0 where there is none."""
    float32, float64 = (
        _ADDRESSES.get((name, verb, dtype, "scalar"), 0) for dtype in ("float32", "float64")
    )
    return float32, float64


def run(
    row: Row,
    verb: str,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[Any],
    num_threads: int,
) -> None:
    """Compute one verb over contiguous one-dimensional arrays; see ``numpy_backend.run``."""
    dtype = outputs[0].dtype.name
    if parameters and isinstance(parameters[0], np.ndarray):
        address = _ADDRESSES[row.name, verb, dtype, "broadcast"]
        execute(address, (*inputs, *parameters), outputs, (), num_threads, row.grain)
    else:
        address = _ADDRESSES[row.name, verb, dtype, "scalar"]
        execute(address, inputs, outputs, parameters, num_threads, row.grain)
