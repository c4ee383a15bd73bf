"""float64: every verb of every activation is within two ulp of the truth, in every backend."""

from __future__ import annotations

import numpy as np
import pytest
from inputs import CASES, CASES_FROM_OUTPUT, Case, gradients, sample, values
from truth import (
    SLACK,
    approximate,
    approximate_at_outputs,
    approximate_at_values,
    bits,
    exact_at_sample,
    outputs,
    rounded,
    ulp,
    ulp_error_of_long_double,
    worst,
    worst_exact,
)

DTYPE = np.float64
BOUND = 2.0
PRODUCT_BOUND = BOUND + 0.5  # f' is rounded, then the product
SMALLEST = np.longdouble(np.finfo(DTYPE).smallest_subnormal)

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_exact_case = pytest.mark.parametrize("case", [c for c in CASES if c.row.exact], ids=str)
each_case_from_output = pytest.mark.parametrize("case", CASES_FROM_OUTPUT, ids=str)


@each_case
def test_forward(case: Case, backend: str) -> None:
    x = values(DTYPE, case)
    result = case.activation(x, *case.parameters, backend=backend)
    truth = approximate_at_values(DTYPE, case, "value")
    found = worst(case, "value", x, result, truth, BOUND)
    assert found.is_within, f"{case}: {found}"


@each_case
def test_grad(case: Case, backend: str) -> None:
    x = values(DTYPE, case)
    result = case.activation.grad(x, *case.parameters, backend=backend)
    truth = approximate_at_values(DTYPE, case, "grad")
    found = worst(case, "grad", x, result, truth, BOUND)
    assert found.is_within, f"{case}.grad: {found}"


@each_case
def test_hard_inputs_against_mpmath(case: Case, backend: str) -> None:
    x = sample(DTYPE, case)
    value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
    for result, function in ((value, "value"), (grad, "grad")):
        found = worst_exact(x, result, exact_at_sample(DTYPE, case, function), BOUND)
        assert found.is_within, f"{case}, {function}: {found}"


@each_exact_case
def test_exact_rows_round_nothing(case: Case, backend: str) -> None:
    x = values(DTYPE, case)
    value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
    for result, function in ((value, "value"), (grad, "grad")):
        truth = rounded(approximate_at_values(DTYPE, case, function), DTYPE)
        differ = np.flatnonzero(bits(result) != bits(truth))
        assert not differ.size, f"{case}, {function}: differs at {x[differ[:5]]}"


@each_case
def test_value_and_grad_are_call_and_grad(case: Case, backend: str) -> None:
    x = values(DTYPE, case)
    value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
    single = case.activation(x, *case.parameters, backend=backend)
    single_grad = case.activation.grad(x, *case.parameters, backend=backend)
    np.testing.assert_array_equal(bits(value), bits(single))
    np.testing.assert_array_equal(bits(grad), bits(single_grad))


@each_case
def test_backward(case: Case, backend: str) -> None:
    x = values(DTYPE, case)
    g = gradients(DTYPE, x.size)
    result = case.activation.backward(g, x, *case.parameters, backend=backend)
    grad = approximate_at_values(DTYPE, case, "grad")
    # Where f' is subnormal, the product magnifies its ulp.
    bounds = product_bounds(g, grad, SMALLEST)
    found = worst(case, "grad", x, result, grad, bounds, g)
    assert found.is_within, f"{case}.backward: {found}"


@each_case_from_output
def test_backward_from_output(case: Case, backend: str) -> None:
    y, grad = outputs(DTYPE, case), approximate_at_outputs(DTYPE, case)
    # For celu with -1 < alpha < 0, f' overflows for some finite y: their product is infinite too.
    is_in_range = ~(np.isfinite(y) & (np.abs(grad) > np.finfo(DTYPE).max))
    y, grad = y[is_in_range], grad[is_in_range]
    g = gradients(DTYPE, y.size)
    result = case.activation.backward_from_output(g, y, *case.parameters, backend=backend)
    bounds = product_bounds(g, grad, SMALLEST)
    found = worst(case, "grad_from_output", y, result, grad, bounds, g)
    assert found.is_within, f"{case}.backward_from_output: {found}"


def product_bounds(g: np.ndarray, grad: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Return how many ulp of ``g * grad`` are allowed where ``grad`` may be off by ``slack``."""
    with np.errstate(all="ignore"):
        product = g * grad
        unit = ulp(np.where(np.isfinite(product), product, 1), DTYPE)
        return PRODUCT_BOUND + np.nan_to_num((np.abs(g) * slack / unit).astype(np.float64))


@each_case
@pytest.mark.parametrize("function", ["value", "grad"])
def test_long_double_is_near_the_truth(case: Case, function: str) -> None:
    """What the tests of accuracy take for the truth at first sight is as near to it as they say.

    Only next to a root of silu', beta x must be exact, and in long double it is not: the tests
    rely on mpmath there.
    """
    x, truth = sample(DTYPE, case), exact_at_sample(DTYPE, case, function)
    result = approximate(case, function, x)
    checked = np.isfinite(result) & np.isfinite(x)
    if case.row.name == "silu":
        checked &= (np.abs(result) > 1e-3) | (function == "value")
    checked_truth = [t for t, is_checked in zip(truth, checked, strict=True) if is_checked]
    errors = ulp_error_of_long_double(result[checked], checked_truth)
    at = np.argmax(errors)
    assert errors[at] <= SLACK, f"{case}, {function}: {errors[at]:.4g} ulp at {x[checked][at]!r}"
