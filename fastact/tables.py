"""Tables for float16 and bfloat16: a function of one such number has 65,536 results.

Looking them up costs less than computing them. Where there is a gradient to multiply by, what is
looked up is f', in double; the products are those of the loops over double to the bit. A table is
computed when first needed, by the backend in force, as any other array, but in the default
floating-point environment: it must not depend on the first caller's rounding mode, or on whether
the first caller flushes subnormal numbers. One of bits takes 128 KiB
for each result, one of doubles 512 KiB; the least recently used are dropped, but those of default
parameters, which the fast path reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact import config, memory

if TYPE_CHECKING:
    from fastact.activation import Verb

#: Computing a table, which takes about a millisecond, pays from about this many elements on.
WORTH_A_TABLE = 1 << 14
# Elements that a thread looks up at a time: some 5 us of work.
_CHUNK = 1 << 14

#: Computes a verb: (verb, inputs, parameters, backend) to a list of arrays.
Compute = Callable[[Any, list[np.ndarray], Sequence[float], str], list[np.ndarray]]


def apply(
    verb: Verb,
    dtype: np.dtype,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: Sequence[Any],
    size: int,
    settings: config.Settings,
) -> bool:
    """Whether the ``size`` results can be had from a table, and one is worth computing.

    For default parameters it is, however few they are: all later calls will be faster.
    """
    return (
        config.driver is not None
        and dtype.itemsize == 2
        and dtype.kind not in "iu"
        and not any(isinstance(value, np.ndarray) for value in parameters)
        and (size >= WORTH_A_TABLE or _are_defaults(verb, parameters))
        # Else the results would be rounded more often than those of a few elements.
        and all(np.can_cast(array.dtype, dtype) for array in arrays)
        and all(given is None or given.dtype.newbyteorder("=") == dtype for given in out)
        # The reference rounds a product of long doubles: now and then to another number.
        and (len(arrays) == 1 or config.backend_name(settings.backend) != "numpy")
    )


def look_up(
    verb: Verb,
    dtype: np.dtype,
    array: np.ndarray,
    parameters: Sequence[float],
    settings: config.Settings,
    compute_bits: Compute,
) -> list[np.ndarray]:
    """Return new arrays with the results for the elements of ``array``, cast to ``dtype``."""
    backend = config.backend_name(settings.backend)
    table = _results(verb, dtype, _key(parameters), backend, compute_bits)
    if _are_defaults(verb, parameters):
        verb.adopt_table(backend, dtype, table)
    is_plain = array.dtype == dtype and array.flags.aligned
    if not is_plain or array.strides != np.empty_like(array).strides:
        (copy,) = memory.empty_as_of_ufunc([array], dtype)
        copy[...] = array
        array = copy
    x = array.view(np.uint16)
    results = [np.empty_like(x, dtype) for _ in range(verb.nout)]
    config.driver.look_up(
        table,
        x.ravel(order="K"),
        [result.ravel(order="K").view(np.uint16) for result in results],
        settings.num_threads,
        _CHUNK,
    )
    return results


def multiplier(
    verb: Verb,
    dtype: np.dtype,
    parameters: Sequence[float],
    settings: config.Settings,
    compute_doubles: Compute,
) -> Callable[..., None]:
    """Return a function of (inputs, outputs, parameters), each a sequence, as backends have them.

    It takes the parameters from here.
    """
    backend = config.backend_name(settings.backend)
    table = _factors(verb, dtype, _key(parameters), backend, compute_doubles)
    loop = config.cython_backend.product_address(dtype.name)
    if _are_defaults(verb, parameters):
        verb.adopt_table(backend, dtype, table, loop)

    def multiply(inputs: Sequence[Any], outputs: Sequence[Any], _: Sequence[Any]) -> None:
        config.driver.execute(loop, inputs, outputs, table, settings.num_threads, _CHUNK, True)

    return multiply


def _are_defaults(verb: Verb, parameters: Sequence[float]) -> bool:
    return tuple(parameters) == verb.row.defaults


def _key(parameters: Sequence[float]) -> tuple[str, ...]:
    """Return the parameters as text: 0.0 and -0.0 are equal, but have tables of their own."""
    return tuple(float(value).hex() for value in parameters)


def _values(key: tuple[str, ...]) -> list[float]:
    return [float.fromhex(text) for text in key]


def _all_numbers(dtype: np.dtype) -> np.ndarray:
    return np.arange(1 << 16, dtype=np.uint16).view(dtype)


@lru_cache(maxsize=64)
def _results(
    verb: Verb, dtype: np.dtype, key: tuple[str, ...], backend: str, compute_bits: Compute
) -> np.ndarray:
    """Return the bits of all results; of two outputs, those of the second above the first's.

    So one load brings both.
    """
    with config.default_floating_point():
        first, *others = compute_bits(verb, [_all_numbers(dtype)], _values(key), backend)
    return first | others[0].astype(np.uint32) << 16 if others else first


@lru_cache(maxsize=16)
def _factors(
    verb: Verb, dtype: np.dtype, key: tuple[str, ...], backend: str, compute_doubles: Compute
) -> np.ndarray:
    """Return what the verb multiplies a gradient by, for all numbers in its second argument."""
    inputs = [np.ones(1 << 16), _all_numbers(dtype)]
    with config.default_floating_point():
        (factors,) = compute_doubles(verb, inputs, _values(key), backend)
    factors[np.isnan(factors)] = np.nan  # no payload: sixteen_bits.h relies on it
    return factors
