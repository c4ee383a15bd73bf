"""Integer arrays, in the activations that keep their dtype: exact, or a ``ValueError``.

The formulas are those of the NumPy backend, which is exact in any dtype that holds each step. A
chunk is computed in the first of three: the dtype of the result, int64, or Python's own integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact import numpy_backend

if TYPE_CHECKING:
    from fastact.activation import Verb

_PYTHON_INTEGERS = np.dtype(object)
# Elements: few enough that their conversions stay in the cache, and that a signal is soon seen.
_CHUNK = 1 << 15


def loop(verb: Verb) -> Callable[..., None]:
    """Return a function of (inputs, outputs, parameters), each a sequence, that runs them.

    It raises ``ValueError`` if a result does not fit into the dtype of the outputs.
    """

    def run(
        inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray], parameters: Sequence[Any]
    ) -> None:
        for chunk in numpy_backend.chunks(outputs[0].size, _CHUNK):
            run_chunk(
                [array[chunk] for array in inputs],
                [array[chunk] for array in outputs],
                [value[chunk] if np.ndim(value) else value for value in parameters],
            )

    def run_chunk(
        inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray], parameters: Sequence[Any]
    ) -> None:
        dtype = outputs[0].dtype
        work = _working_dtype(verb, inputs, parameters, dtype)
        results = outputs if work == dtype else [np.empty_like(y, work) for y in outputs]
        inputs = [array.astype(work, copy=False) for array in inputs]
        parameters = [
            np.broadcast_to(np.asarray(value, work), outputs[0].shape) for value in parameters
        ]
        numpy_backend.run(verb.row, verb.kind, "", inputs, results, parameters, 1)
        if work == dtype:
            return
        for result, output in zip(results, outputs, strict=True):
            outside = one_outside(result, dtype)
            if outside is not None:
                names = " and ".join(parameter.name for parameter in verb.row.parameters)
                raise ValueError(
                    f"{verb.__name__}: {names} must give results that fit into {dtype}, "
                    f"the dtype of the result, got {outside}"
                )
            output[...] = result

    return run


def one_outside(values: np.ndarray, dtype: np.dtype) -> int | None:
    """Return an integer of the array that does not fit into the dtype, or None."""
    if dtype.kind not in "iu" or np.can_cast(values.dtype, dtype):
        return None
    info = np.iinfo(dtype)
    return next((end for end in _ends(values) if not info.min <= end <= info.max), None)


def _ends(value: Any) -> tuple[int, int]:
    """Return the least and the greatest integer of an array, which may be empty, or a number."""
    if isinstance(value, int):
        return value, value
    return (int(value.min()), int(value.max())) if value.size else (0, 0)


def _working_dtype(
    verb: Verb, inputs: Sequence[np.ndarray], parameters: Sequence[Any], dtype: np.dtype
) -> np.dtype:
    """Return a dtype that holds the inputs, the parameters and each product that is selected."""
    if not parameters:  # results are inputs, 0, 1 or 6
        return dtype
    ends = [_ends(value) for value in (*inputs, *parameters)]
    least, greatest = min(low for low, _ in ends), max(high for _, high in ends)
    if not verb.row.exact:  # leaky_relu: products of x <= 0, or of the gradient, and the slope
        (low, high), slope = ends[0], max(map(abs, ends[-1]))
        product = slope * (max(-low, 0) if len(inputs) == 1 else max(-low, high))
        least, greatest = min(least, -product), max(greatest, product)
    for candidate in (dtype, np.dtype(np.int64)):
        info = np.iinfo(candidate)
        if info.min <= least and greatest <= info.max:
            return candidate
    return _PYTHON_INTEGERS
