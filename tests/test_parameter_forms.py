"""A parameter means the same as a Python number, a scalar of NumPy or an array of one element."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_dtypes import FLOATING
from test_layouts import KINDS, VERBS, assert_all_identical, results, sample

WITH_PARAMETERS = [verb for verb in VERBS if verb.row.parameters]
over_verbs_with_parameters = pytest.mark.parametrize(
    "verb", WITH_PARAMETERS, ids=[verb.__name__ for verb in WITH_PARAMETERS]
)

#: Ways to pass a number.
FORMS = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "0-d": np.array,
    "0-d-float32": lambda value: np.array(value, np.float32),
    "swapped": lambda value: np.array(value, ">f8"),
    "one": lambda value: np.array([value]),
    "one-float32": lambda value: np.array([value], np.float32),
    "one-by-one": lambda value: np.array([[value]]),
}
INTEGER_FORMS = {
    "int64": np.int64,
    "int8": np.int8,
    "uint64": np.uint64,
    "int": int,
    "0-d": np.array,
    "one": lambda value: np.array([value]),
}


def layouts(dtype: str, count: int) -> list[list[np.ndarray]]:
    """Return arrays of numbers: at steps, and contiguous."""
    arrays = [sample((2, 34), dtype, seed) for seed in range(count)]
    return [[array[:, ::2] for array in arrays], arrays]


def dtypes(verb, backend: str) -> list[str]:
    """Return the dtypes to test with; where 16 bits take long, only for a verb of each kind."""
    return FLOATING if backend == "cython" or verb in KINDS else ["float32", "float64"]


def values(verb) -> list[list[float]]:
    """Return numbers that each form can hold, and the defaults if it can hold these."""
    shifted = [float(np.float16(p.default + 0.25)) for p in verb.row.parameters]
    defaults = list(verb.row.defaults)
    return [shifted, defaults] if defaults == np.float16(defaults).tolist() else [shifted]


@over_verbs_with_parameters
def test_floats(verb, backend):
    for dtype in dtypes(verb, backend):
        for arrays, numbers in zip(layouts(dtype, len(verb.arguments)), values(verb), strict=False):
            expected = results(verb, *arrays, *numbers, backend=backend)
            for form in FORMS.values():
                given = map(form, numbers)
                assert_all_identical(results(verb, *arrays, *given, backend=backend), expected)


@over_verbs_with_parameters
def test_integers(verb, backend):
    numbers = [math.floor(parameter.default) + 1 for parameter in verb.row.parameters]
    for dtype in dtypes(verb, backend):
        _, arrays = layouts(dtype, len(verb.arguments))
        expected = results(verb, *arrays, *map(float, numbers), backend=backend)
        for form in INTEGER_FORMS.values():
            if min(numbers) >= 0 or form is not np.uint64:
                given = map(form, numbers)
                assert_all_identical(results(verb, *arrays, *given, backend=backend), expected)


@over_verbs_with_parameters
def test_one_element_beside_arrays_without_dimensions(verb, backend):
    """Results have the dimension of the parameters, but not where these lie along an axis of x."""
    if verb.row.kernels:
        return
    for dtype in dtypes(verb, backend):
        for numbers in values(verb):
            x = sample((5,), dtype)[2]
            # Arrays of parameters have no fast precision.
            how = {"backend": backend, "precision": "faithful"}
            expected = results(verb, *[x] * len(verb.arguments), *numbers, **how)
            for operand in (x, np.array(x)):
                operands = [operand] * len(verb.arguments)
                found = results(verb, *operands, *([n] for n in numbers), **how)
                assert all(result.shape == (1,) for result in found)
                assert_all_identical([result[0] for result in found], expected)
