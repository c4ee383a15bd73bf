"""The Numba backend: loops compiled on first use for the processor at hand, and threads.

``exponential_free.py``, ``float32.py`` and ``float64.py`` hold the scalar functions f and f',
``primitives.py`` and ``double_double.py`` the arithmetic beneath, ``loops.py`` the loops over
arrays. This file chooses the loop for a call and guards its threads.

Each loop has a serial and a parallel version, each compiled when first needed. The parallel one
needs care for what Numba's threading layers do: `workqueue` aborts the process when two threads
enter it at the same time, and `omp` terminates a forked child that enters it. So only one call at a
time is parallel here, the others run serially instead of waiting, and a forked child runs serially
always. What we cannot see is other code of the same process that enters `workqueue` through Numba.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
import numba
import numpy as np

from fastact.catalogue import Row
from fastact.numba_backend import loops

Loop = Callable[..., None]

_loops: dict[tuple[Any, ...], Loop] = {}
_dispatchers: list[Any] = []  # of these loops: what Numba knows about them

_compiling = threading.Lock()
_team = threading.Lock()  # held by the one call that is parallel
_forked = False


def _after_fork_in_child() -> None:
    """Stay serial, with new locks: another thread of the parent may have held the old ones."""
    global _compiling, _team, _forked
    _compiling = threading.Lock()
    _team = threading.Lock()
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def run(
    row: Row,
    verb: str,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[float | np.ndarray],
    num_threads: int,
) -> None:
    """Compute one verb over contiguous one-dimensional arrays; see ``numpy_backend.run``."""
    output = outputs[0]
    broadcast = bool(parameters) and isinstance(parameters[0], np.ndarray)
    values = tuple(parameters if broadcast else [float(value) for value in parameters])
    in_place = tuple([np.may_share_memory(array, output) for array in inputs])
    arguments = (*inputs, *outputs, values)
    if True in in_place:  # see loops.py
        given = [None if same else array for array, same in zip(inputs, in_place, strict=True)]
        arguments = (*given, *outputs, values)
    key = (row.name, verb, output.dtype.char, in_place, broadcast)
    # Whether two threads would have enough to do.
    if num_threads > 1 and output.size >= 2 * row.grain and not _forked:
        threads = min(num_threads, output.size // row.grain, numba.config.NUMBA_NUM_THREADS)
        if threads > 1 and _run_parallel(_loop(row, (*key, True)), arguments, threads):
            return
    _loop(row, (*key, False))(*arguments)


def _run_parallel(loop: Loop, arguments: tuple[Any, ...], threads: int) -> bool:
    """Run a parallel loop, unless another call is parallel now; return whether it was run."""
    if not _team.acquire(blocking=False):
        return False
    try:
        set_by_caller = numba.get_num_threads()
        numba.set_num_threads(threads)
        try:
            loop(*arguments)
        finally:
            numba.set_num_threads(set_by_caller)
    finally:
        _team.release()
    return True


def _loop(row: Row, key: tuple[Any, ...]) -> Loop:
    """Return the compiled loop; the key is an Instance with the name of the row for the row."""
    return _loops.get(key) or _compile(row, key)


def _compile(row: Row, key: tuple[Any, ...]) -> Loop:
    with _compiling:
        if key not in _loops:
            instance = loops.Instance(row, *key[1:])
            dispatcher = loops.compile_loop(instance)
            _dispatchers.append(dispatcher)
            # The compiled function itself: a dispatcher would look for the types once more.
            _loops[key] = dispatcher.get_overload(loops.signature(instance))
        return _loops[key]


def information() -> dict[str, Any]:
    """Return facts for ``show_config``."""
    statistics = [dispatcher.stats for dispatcher in _dispatchers]
    try:
        threading_layer = numba.threading_layer()
    except ValueError:
        threading_layer = "not started"
    return {
        "loaded": True,
        "processor": numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
        "threading_layer": threading_layer,
        "max_threads": 1 if _forked else numba.config.NUMBA_NUM_THREADS,
        "loops": len(_loops),
        "loops_from_cache": sum(sum(stats.cache_hits.values()) for stats in statistics),
        "cache_directory": next((stats.cache_path for stats in reversed(statistics)), None),
    }
