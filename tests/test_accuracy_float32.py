"""float32: every verb of every activation is within one ulp of the truth, in every backend."""

from __future__ import annotations

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
    worst,
    worst_exact,
)

DTYPE = np.float32
BOUND = 1.0

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
    truth = approximate_at_values(DTYPE, case, "grad")
    found = worst(case, "grad", x, result, truth, BOUND, g)
    assert found.is_within, f"{case}.backward: {found}"


@each_case_from_output
def test_backward_from_output(case: Case, backend: str) -> None:
    y = outputs(DTYPE, case)
    g = gradients(DTYPE, y.size)
    result = case.activation.backward_from_output(g, y, *case.parameters, backend=backend)
    found = worst(
        case, "grad_from_output", y, result, approximate_at_outputs(DTYPE, case), BOUND, g
    )
    assert found.is_within, f"{case}.backward_from_output: {found}"
