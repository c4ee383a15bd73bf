"""Tables for float16 and bfloat16: a function of one such number has 65,536 results.

Looking them up costs less than computing them. A table is computed when first needed, by the
backend in force, as any other array; 128 KiB each, the least recently used ones are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact import config

if TYPE_CHECKING:
    from fastact.activation import Verb

#: Computing a table, which takes about a millisecond, pays from about this many elements on.
WORTH_A_TABLE = 1 << 14
# Elements that a thread looks up at a time: some 5 us of work.
_CHUNK = 1 << 14

#: Computes a verb: (verb, dtype, inputs, parameters, backend) to a list of arrays.
Compute = Callable[[Any, np.dtype, list[np.ndarray], tuple[float, ...], str], list[np.ndarray]]


def apply(dtype: np.dtype, arrays: Sequence[np.ndarray], parameters: Sequence[Any]) -> bool:
    """Whether the results can be looked up, and are enough to compute a table for."""
    return (
        config.driver is not None
        and dtype.itemsize == 2
        and dtype.kind not in "iu"
        and len(arrays) == 1
        and arrays[0].size >= WORTH_A_TABLE
        and not any(isinstance(value, np.ndarray) for value in parameters)
    )


def look_up(
    verb: Verb,
    dtype: np.dtype,
    array: np.ndarray,
    parameters: Sequence[float],
    settings: config.Settings,
    compute: Compute,
) -> list[np.ndarray]:
    """Return new arrays with the results for the elements of ``array``, cast to ``dtype``."""
    backend = config.backend_name(settings.backend)
    table = _table(verb, dtype, tuple(parameters), backend, compute)
    if list(parameters) == [parameter.default for parameter in verb.row.parameters]:
        verb.adopt_table(backend, dtype, table)
    x = array.astype(dtype, copy=False)
    if x.strides != np.empty_like(x).strides:
        x = x.copy(order="K")  # in one piece, its axes in the order that they have in memory
    results = [np.empty_like(x) for _ in range(verb.nout)]
    config.driver.look_up(
        table,
        x.ravel(order="K").view(np.uint16),
        [result.ravel(order="K").view(np.uint16) for result in results],
        settings.num_threads,
        _CHUNK,
    )
    return results


@lru_cache(maxsize=64)
def _table(
    verb: Verb, dtype: np.dtype, parameters: tuple[float, ...], backend: str, compute: Compute
) -> np.ndarray:
    """Return the bits of all results, one row for each output."""
    inputs = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    results = compute(verb, dtype, [inputs], parameters, backend)
    return np.stack([result.view(np.uint16) for result in results])
