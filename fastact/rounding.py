"""Results of 16 bits: float64 results, rounded once, to the nearest number.

float64 may not see on which side of the middle between two numbers of 16 bits the true value lies:
gelu(2**-130) is 2**-131 and a 2**-261st part more, and 0.01 x is rounded to 53 bits. Next to a
middle the NumPy backend's long double result decides, and near 0 the sign of the next term.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastact.catalogue import Row

# Wider than the error of a float64 result, and narrow enough that few results lie within.
_UNCERTAINTY = 2.0**-48
# Below, the term after the first is out of long double's sight in some functions.
_NEAR_ZERO = 2.0**-30
_PROBE = 2.0**-10


def is_bfloat16(dtype: np.dtype) -> bool:
    # ml_dtypes registers its types with NumPy; asking by name needs no import of it.
    # A name takes NumPy more time than some calls take in all.
    return dtype.itemsize == 2 and dtype.name == "bfloat16"


def to_sixteen_bits(result: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast from float64, rounded once. ml_dtypes goes through float32, which would round twice."""
    if not is_bfloat16(dtype) or result.dtype.kind not in "iuf" or result.dtype == np.float32:
        return result.astype(dtype, copy=False)
    # Round to odd: where float32 is inexact, make its last bit 1. Then it is never half-way
    # between two bfloat16 numbers, and the second rounding sees on which side the value lies.
    result = result.astype(np.float64, copy=False)
    single = result.astype(np.float32)
    beyond = np.abs(single.astype(np.float64)) > np.abs(result)
    truncated = np.where(beyond, np.nextafter(single, np.float32(0)), single)
    inexact = (truncated.astype(np.float64) != result) & np.isfinite(result)
    odd = truncated.view(np.uint32) | inexact.astype(np.uint32)
    rounded: np.ndarray = odd.view(np.float32).astype(dtype)
    return rounded


def nearest_in(dtype: np.dtype, value: Any) -> Any:
    """Return a number, or an array, as float64 numbers that the floating-point dtype can hold."""
    if dtype == np.float64:
        return value
    rounded = to_sixteen_bits(np.asarray(value, np.float64), dtype).astype(np.float64)
    return rounded if rounded.ndim else float(rounded)


def settle_ties(
    row: Row,
    x: np.ndarray,
    parameters: Sequence[Any],
    results: dict[str, np.ndarray],
    dtype: np.dtype,
    run: Callable[..., None],
) -> None:
    """Move results of float64 that may be ties between numbers of ``dtype`` to the right side.

    ``results`` has arrays, of the shape of ``x``, by the verbs "forward" and "grad". ``run`` is
    that of the NumPy backend, which computes them in long double.
    """
    for verb, result in results.items():
        low, high = (
            to_sixteen_bits(result * (1 + sign * _UNCERTAINTY), dtype).view(np.uint16)
            for sign in (-1, 1)
        )
        uncertain = low != high
        if uncertain.any():
            values = [
                np.broadcast_to(value, x.shape)[uncertain].astype(np.longdouble)
                for value in parameters
            ]
            result[uncertain] = _to_the_right_side(run, row, verb, x[uncertain], values)


def _to_the_right_side(
    run: Callable[..., None],
    row: Row,
    verb: str,
    x: np.ndarray,
    parameters: Sequence[np.ndarray],
) -> np.ndarray:
    """Return results rounded to odd: the float64 number next to the true value that is no tie."""

    def function(argument: np.ndarray) -> np.ndarray:
        found = np.empty_like(argument)
        run(row, verb, "", [argument], [found], parameters, 1)
        return found

    x = x.astype(np.longdouble)
    value = function(x)
    nearest = value.astype(np.float64)
    side = np.sign(value - nearest)
    side = np.where((side == 0) & (np.abs(x) < _NEAR_ZERO), _next_term(function, x, value), side)
    towards = np.copysign(np.inf, side.astype(np.float64))
    is_odd = nearest.view(np.int64) & 1 == 1
    odd: np.ndarray = np.where((side == 0) | is_odd, nearest, np.nextafter(nearest, towards))
    return odd


def _next_term(function: Any, x: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the sign of what follows f(0) or, where that is 0, the linear term, near 0.

    It is 0 where there is nothing, and where the value is not that first term.
    """
    probe = np.copysign(np.longdouble(_PROBE), x)
    tiny = probe * np.longdouble(2.0**-90)
    at_zero = function(np.copysign(np.longdouble(0), x))
    slope = function(tiny) / tiny
    difference = function(probe) - np.where(at_zero == 0, slope * probe, at_zero)
    is_first_term = value == np.where(at_zero == 0, slope * x, at_zero)
    return np.where(
        is_first_term & (np.abs(difference) > _PROBE * 2.0**-50), np.sign(difference), 0
    )
