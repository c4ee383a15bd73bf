"""float16 and bfloat16: each of the 65,536 inputs gives the correctly rounded result."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import pytest
from inputs import CASES, DEFAULT_CASES, Case
from truth import approximate, bits, exact, rounded, rounded_exact, ulp

DTYPES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_default_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def all_inputs(dtype: str) -> np.ndarray:
    return np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])


@functools.cache
def correctly_rounded(dtype: str, case: Case, function: str) -> np.ndarray:
    x = all_inputs(dtype)
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide = x.astype(np.float64)
    truth = approximate(case, function, wide)
    nearest = rounded(truth, DTYPES[dtype])
    # Near the middle between two neighbours, long double cannot tell which is nearer.
    with np.errstate(invalid="ignore"):
        units = np.abs(truth) / ulp(truth, DTYPES[dtype])
        from_middle = np.abs(units - np.floor(units) - 0.5)
        doubtful = np.flatnonzero(from_middle <= units * 2.0**-51)
    nearest[doubtful] = rounded_exact(exact(case, function, wide[doubtful]), DTYPES[dtype])
    return nearest


def check(dtype: str, case: Case, function: str, result: np.ndarray) -> None:
    x, truth = all_inputs(dtype), correctly_rounded(dtype, case, function)
    assert result.dtype == DTYPES[dtype]
    wrong = np.flatnonzero((bits(result) != bits(truth)) & ~((result == 0) & (truth == 0)))
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
