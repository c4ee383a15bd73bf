"""A number, a NumPy scalar and an array without dimensions give what an array of it gives."""

from __future__ import annotations

import numpy as np
import pytest
from test_dtypes import FLOATING, TWO_ARRAYS
from test_layouts import KINDS, assert_identical, over_verbs, results

NUMBERS = [0.3, -1.25, -0.0, np.nan, -np.inf, 88.8]
#: One for each floating dtype that NumPy gives a function of it, and what an activation may keep.
INTEGERS = ["int8", "uint16", "int64", "bool"]
#: Python numbers, and the dtypes that NumPy gives them.
PYTHON = {"float64": NUMBERS, "int64": [0, -3], "bool": [False, True]}


def numbers(dtype: str) -> np.ndarray:
    if dtype in FLOATING:
        with np.errstate(all="ignore"):
            return np.array(NUMBERS).astype(dtype)
    return np.array([0, 100]).astype(dtype)


def assert_like_elements(verb, backend, forms, array) -> None:
    """Each form of a number gives a scalar of NumPy, that of the array at its place."""
    expected = results(verb, *[array] * len(verb.arguments), backend=backend)
    for i, form in enumerate(forms):
        found = results(verb, *[form] * len(verb.arguments), backend=backend)
        for result, elements in zip(found, expected, strict=True):
            assert type(result) is type(elements[i])
            assert_identical(result, elements[i])


@over_verbs
def test_numbers_scalars_and_arrays_without_dimensions(verb, backend):
    # Of 16 bits, the other backends make a table for each verb first: it takes 10 ms.
    has_all = backend == "cython" or verb in KINDS
    for dtype in (*FLOATING, *INTEGERS) if has_all else ("float32", "float64", "int64", "bool"):
        array = numbers(dtype)
        assert_like_elements(verb, backend, list(array), array)
        assert_like_elements(verb, backend, [np.array(number) for number in array], array)
    for dtype, values in PYTHON.items():
        assert_like_elements(verb, backend, values, np.array(values, dtype))


@pytest.mark.parametrize("verb", TWO_ARRAYS, ids=[verb.__name__ for verb in TWO_ARRAYS])
def test_a_number_beside_a_scalar_takes_its_dtype(verb, backend):
    for dtype in FLOATING if backend == "cython" else ("float32", "float64"):
        second = numbers(dtype)
        expected = results(verb, np.full_like(second, 0.3), second, backend=backend)
        for i, number in enumerate(second):
            for result, elements in zip(
                results(verb, 0.3, number, backend=backend), expected, strict=True
            ):
                assert_identical(result, elements[i])
