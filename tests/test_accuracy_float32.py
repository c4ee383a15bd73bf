"""float32: every verb is within the bound of the precision, in every backend.

faithful: 1 ulp. fast: 4 ulp where the true result is normal, 2**-126 where it is subnormal;
backward rounds once more, and passes the error of a subnormal derivative on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from inputs import CASES, CASES_FROM_OUTPUT, Case, gradients, sample, values
from truth import (
    approximate_at_outputs,
    approximate_at_values,
    bits,
    exact_at_sample,
    outputs,
    rounded,
    ulp,
    worst,
    worst_exact,
)

DTYPE = np.float32
SMALLEST_NORMAL = 2.0**-126

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_exact_case = pytest.mark.parametrize("case", [c for c in CASES if c.row.exact], ids=str)
each_case_from_output = pytest.mark.parametrize("case", CASES_FROM_OUTPUT, ids=str)


def bounds(case: Case, precision: str, truth: Any, factor: Any = None) -> Any:
    """Return how far from the truth, times a factor, each result may be, in ulp of that."""
    if precision == "faithful" or case.row.exponential_free or not case.is_default:
        return 1.0
    truth = np.array([float(t) for t in truth]) if isinstance(truth, list) else truth
    with np.errstate(all="ignore"):
        allowed = np.where(np.abs(truth) < SMALLEST_NORMAL, SMALLEST_NORMAL, 4 * unit(truth))
        if factor is None:
            return allowed / unit(truth)
        return np.abs(factor) * allowed / unit(factor * truth) + 0.5


def unit(truth: np.ndarray) -> np.ndarray:
    return ulp(np.where(np.isfinite(truth), truth, 1).astype(np.longdouble), DTYPE)


@each_case
def test_forward(case: Case, backend: str, precision: str) -> None:
    x = values(DTYPE, case)
    result = case.activation(x, *case.parameters, backend=backend, precision=precision)
    truth = approximate_at_values(DTYPE, case, "value")
    found = worst(case, "value", x, result, truth, bounds(case, precision, truth))
    assert found.is_within, f"{case}: {found}"


@each_case
def test_grad(case: Case, backend: str, precision: str) -> None:
    x = values(DTYPE, case)
    result = case.activation.grad(x, *case.parameters, backend=backend, precision=precision)
    truth = approximate_at_values(DTYPE, case, "grad")
    found = worst(case, "grad", x, result, truth, bounds(case, precision, truth))
    assert found.is_within, f"{case}.grad: {found}"


@each_case
def test_hard_inputs_against_mpmath(case: Case, backend: str, precision: str) -> None:
    x = sample(DTYPE, case)
    value, grad = case.activation.value_and_grad(
        x, *case.parameters, backend=backend, precision=precision
    )
    for result, function in ((value, "value"), (grad, "grad")):
        truth = exact_at_sample(DTYPE, case, function)
        found = worst_exact(x, result, truth, bounds(case, precision, truth))
        assert found.is_within, f"{case}, {function}: {found}"


@each_exact_case
def test_exact_rows_round_nothing(case: Case, backend: str, precision: str) -> None:
    x = values(DTYPE, case)
    value, grad = case.activation.value_and_grad(
        x, *case.parameters, backend=backend, precision=precision
    )
    for result, function in ((value, "value"), (grad, "grad")):
        truth = rounded(approximate_at_values(DTYPE, case, function), DTYPE)
        differ = np.flatnonzero(bits(result) != bits(truth))
        assert not differ.size, f"{case}, {function}: differs at {x[differ[:5]]}"


@each_case
def test_value_and_grad_are_call_and_grad(case: Case, backend: str, precision: str) -> None:
    x = values(DTYPE, case)
    value, grad = case.activation.value_and_grad(
        x, *case.parameters, backend=backend, precision=precision
    )
    single = case.activation(x, *case.parameters, backend=backend, precision=precision)
    single_grad = case.activation.grad(x, *case.parameters, backend=backend, precision=precision)
    np.testing.assert_array_equal(bits(value), bits(single))
    np.testing.assert_array_equal(bits(grad), bits(single_grad))


@each_case
def test_precisions_are_the_same_but_for_defaults(case: Case, backend: str) -> None:
    if backend != "numpy" and case.differs_by_precision:
        return
    x = values(DTYPE, case)
    g = gradients(DTYPE, x.size)
    for verb, arguments in ((case.activation, (x,)), (case.activation.backward, (g, x))):
        fast, faithful = (
            verb(*arguments, *case.parameters, backend=backend, precision=precision)
            for precision in ("fast", "faithful")
        )
        np.testing.assert_array_equal(bits(fast), bits(faithful))


@each_case
def test_backward(case: Case, backend: str, precision: str) -> None:
    x = values(DTYPE, case)
    g = gradients(DTYPE, x.size)
    result = case.activation.backward(g, x, *case.parameters, backend=backend, precision=precision)
    truth = approximate_at_values(DTYPE, case, "grad")
    found = worst(case, "grad", x, result, truth, bounds(case, precision, truth, g), g)
    assert found.is_within, f"{case}.backward: {found}"


@each_case_from_output
def test_backward_from_output(case: Case, backend: str, precision: str) -> None:
    y = outputs(DTYPE, case)
    g = gradients(DTYPE, y.size)
    result = case.activation.backward_from_output(
        g, y, *case.parameters, backend=backend, precision=precision
    )
    truth = approximate_at_outputs(DTYPE, case)
    bound = bounds(case, precision, truth, g)
    found = worst(case, "grad_from_output", y, result, truth, bound, g)
    assert found.is_within, f"{case}.backward_from_output: {found}"
