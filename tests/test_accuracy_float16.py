"""float16 and bfloat16: each of the 65,536 inputs gives the result nearest to the truth."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import pytest
from inputs import CASES, DEFAULT_CASES, Case
from truth import approximate, bits, ulp_error

DTYPES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_default_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def all_inputs(dtype: str) -> np.ndarray:
    return np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])


@functools.cache
def truth_at_all_inputs(dtype: str, case: Case, function: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # signalling NaN
        return approximate(case, function, all_inputs(dtype).astype(np.float64))


def check(dtype: str, case: Case, function: str, result: np.ndarray) -> None:
    """Check that each result is the nearest number, or either where float64 sees a tie.

    That happens: gelu(x) = x/2 + x**2 / sqrt(2 pi) is x/2 to all digits for a tiny x of bfloat16.
    """
    x, truth = all_inputs(dtype), truth_at_all_inputs(dtype, case, function)
    assert result.dtype == DTYPES[dtype]
    with np.errstate(invalid="ignore"):  # signalling NaN
        errors = ulp_error(result, truth)
    wrong = np.flatnonzero(~(errors <= 0.5 * (1 + 2.0**-40)))
    assert not wrong.size, (
        f"{case}, {function}: {wrong.size} wrong, the first at {float(x[wrong[0]]).hex()}: "
        f"got {result[wrong[0]]}, truth {truth[wrong[0]]}"
    )


@each_dtype
@each_case
def test_forward(case: Case, backend: str, dtype: str) -> None:
    result = case.activation(all_inputs(dtype), *case.parameters, backend=backend)
    check(dtype, case, "value", result)


@each_dtype
@each_case
def test_grad(case: Case, backend: str, dtype: str) -> None:
    result = case.activation.grad(all_inputs(dtype), *case.parameters, backend=backend)
    check(dtype, case, "grad", result)


@each_dtype
@each_default_case
def test_value_and_grad_are_call_and_grad(case: Case, backend: str, dtype: str) -> None:
    x = all_inputs(dtype)
    value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
    single = case.activation(x, *case.parameters, backend=backend)
    single_grad = case.activation.grad(x, *case.parameters, backend=backend)
    np.testing.assert_array_equal(bits(value), bits(single))
    np.testing.assert_array_equal(bits(grad), bits(single_grad))
