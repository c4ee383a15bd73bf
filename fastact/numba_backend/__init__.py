"""The Numba backend: loops compiled on first use for the processor at hand.

``exponential_free.py``, ``float32.py``, ``float32_fast.py`` and ``float64.py`` hold the scalar
functions f and f', ``primitives.py`` and ``double_double.py`` the arithmetic beneath, ``loops.py``
the loop over arrays. ``fastact/driver`` runs the loops by address; where the extension was not
built, ``run`` does.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import llvmlite.binding
import numba
import numpy as np

from fastact.catalogue import ROWS, Row
from fastact.config import default_floating_point
from fastact.environment import MAX_THREADS
from fastact.numba_backend import loops
from fastact.numba_backend.loops import BLOCK
from fastact.numba_backend.primitives import FUSED

Arrays = Sequence[np.ndarray]

_ROWS = {row.name: row for row in ROWS}

# --- the loops, by (name, verb, loop) ------------------------------------------------------------

_compiled: dict[tuple[str, str, str], Any] = {}  # these objects keep the code alive
# A signal handler or finaliser may need a loop while its own thread compiles one.
_compiling = threading.RLock()


def loop_address(name: str, verb: str, loop: str) -> int:
    """Return the address of a loop, which is compiled if it has not been yet.

    ``loop`` is "float32", "float64", one of these with "_broadcast", or "float32_fast".
    """
    key = name, verb, loop
    if key not in _compiled:
        with _compiling:
            if key not in _compiled:
                # The compiler computes constants. The result of a call from within stays: the
                # fast path may have its address already.
                with default_floating_point():
                    _compiled.setdefault(key, loops.compile_loop(_ROWS[name], verb, loop))
    return address_if_compiled(*key)


def address_if_compiled(name: str, verb: str, loop: str) -> int:
    """Return the address of a loop, or 0 if it has not been compiled yet."""
    compiled = _compiled.get((name, verb, loop))
    return compiled.address if compiled else 0


# --- running them without fastact/driver ---------------------------------------------------------

_LOOP_TYPE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p
)
_executor = ThreadPoolExecutor(MAX_THREADS, "fastact")  # it starts threads as they are needed


def run(
    row: Row,
    verb: str,
    loop: str,
    inputs: Arrays,
    outputs: Arrays,
    parameters: Sequence[Any],
    num_threads: int,
) -> None:
    """Compute one verb over contiguous one-dimensional arrays; see ``numpy_backend.run``."""
    function = _LOOP_TYPE(loop_address(row.name, verb, loop))  # a call of it releases the GIL
    in_arrays = loop.endswith("_broadcast")  # then they are further inputs
    inputs = [*inputs, *(parameters if in_arrays else ())]
    values = np.array(() if in_arrays else parameters, np.float64)
    starts = range(0, outputs[0].size, row.chunk)
    unclaimed = iter(starts)

    def work() -> None:
        for start in unclaimed:
            chunk = slice(start, start + row.chunk)
            _run_chunk(function, [a[chunk] for a in inputs], [a[chunk] for a in outputs], values)

    helpers = _start_helpers(work, min(num_threads, len(starts)) - 1)
    try:
        work()
    finally:  # after an interrupt, nothing is written once this function has returned
        for _ in unclaimed:
            pass
        for helper in helpers:
            helper.result()


def _start_helpers(work: Callable[[], None], count: int) -> list[Future[None]]:
    global _executor
    helpers: list[Future[None]] = []
    try:
        for _ in range(count):
            helpers.append(_executor.submit(work))
    except RuntimeError:  # no thread can be created, or the interpreter shuts down
        # What was refused stays in the queue, with its arrays, until a thread takes it.
        _executor = ThreadPoolExecutor(MAX_THREADS, "fastact")
    return helpers


def _run_chunk(
    function: Any,
    inputs: Arrays,
    outputs: Arrays,
    parameters: np.ndarray,
) -> None:
    size = outputs[0].size
    whole = size - size % BLOCK
    if whole:
        _call(function, inputs, outputs, whole // BLOCK, parameters)
    if whole == size:
        return
    # What is left over is computed in blocks of our own.
    padded = [np.zeros(BLOCK, array.dtype) for array in (*inputs, *outputs)]
    for block, array in zip(padded, inputs, strict=False):
        block[: size - whole] = array[whole:]
    results = padded[len(inputs) :]
    _call(function, padded[: len(inputs)], results, 1, parameters)
    for block, array in zip(results, outputs, strict=True):
        array[whole:] = block[: size - whole]


def _call(
    function: Any,
    inputs: Arrays,
    outputs: Arrays,
    blocks: int,
    parameters: np.ndarray,
) -> None:
    pointers = [
        (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
        for arrays in (inputs, outputs)
    ]
    function(*pointers, blocks, parameters.ctypes.data)


def _after_fork_in_child() -> None:
    """Start anew: threads are not there, and one that is not may have held the lock."""
    global _compiling, _executor
    _compiling = threading.RLock()
    _executor = ThreadPoolExecutor(MAX_THREADS, "fastact")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)

# --- facts ---------------------------------------------------------------------------------------


def information() -> dict[str, Any]:
    """Return facts for ``show_config``."""
    return {
        "loaded": True,
        "processor": numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
        "fused_multiply_add": FUSED,
        "loops": len(_compiled),
        "loops_from_cache": sum(loop.cache_hits for loop in _compiled.values()),
        "cache_directory": next((loop._cache.cache_path for loop in _compiled.values()), None),
    }
