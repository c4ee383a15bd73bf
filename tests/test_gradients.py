"""f' is the derivative of f, takes the declared values at kinks, and jumps nowhere else."""

from __future__ import annotations

import functools
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from inputs import CASES, CASES_FROM_OUTPUT, DEFAULT_CASES, Case, gradients, step, values
from truth import (
    DIGITS,
    approximate,
    approximate_at_values,
    bits,
    definition,
    in_dtype,
    outputs,
    ulp,
)

import fastact as fa

#: Bounds of the forward function and of f' in ulp, as test_accuracy_*.py hold them.
BOUNDS = {"float32": 1.0, "float64": 2.0}

#: Points where f' is continuous and f'' is not: differences that reach over them are not f'.
BENDS = {
    "squared_relu": (0.0,),
    "softsign": (0.0,),
    "sparse_plus": (-1.0, 1.0),
    "celu": (0.0,),
}

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_default_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_case_from_output = pytest.mark.parametrize("case", CASES_FROM_OUTPUT, ids=str)
each_dtype = pytest.mark.parametrize("dtype", BOUNDS)


def away_from_kinks(case: Case, x: np.ndarray, distance: float) -> np.ndarray:
    for point in (*(kink for kink, _ in case.kinks), *BENDS.get(case.row.name, ())):
        x = x[np.abs(x - point) > distance]
    return x


@each_case
def test_truth_agrees_with_itself(case: Case) -> None:
    """The two definitions in truth.py, f and f', belong together."""
    f, grad = definition(case.row.name)[:2]
    points = np.random.default_rng(20_260_803).uniform(-12, 12, 40)
    with mp.workdps(DIGITS):
        parameters = [mp.mpf(p.numerator) / p.denominator for p in case.exact_parameters]
        for x in away_from_kinks(case, points, 1e-3):
            numerical = mp.diff(lambda t: mp.mpf(f(t, *parameters)), mp.mpf(float(x)))
            analytical = grad(mp.mpf(float(x)), *parameters)
            assert mp.almosteq(numerical, analytical, 1e-25, 1e-40), f"{case} at {x}"


@each_case
def test_grad_is_the_slope_of_the_function(case: Case, backend: str) -> None:
    """Central differences of order six of the float64 results."""
    h = 2.0**-7
    x = away_from_kinks(case, np.linspace(-12, 12, 3001), 4 * h)
    shifted = x + h * np.array([[-3], [-2], [-1], [1], [2], [3]])
    f = case.activation(shifted, *case.parameters, backend=backend)
    slope = np.array([-1, 9, -45, 45, -9, 1]) / (60 * h) @ f
    grad = case.activation.grad(x, *case.parameters, backend=backend)
    np.testing.assert_allclose(grad, slope, rtol=1e-9, atol=1e-10)


@each_dtype
@each_case
def test_kinks_take_the_declared_values(case: Case, backend: str, dtype: str) -> None:
    case = in_dtype(case, dtype)
    names = [parameter.name for parameter in case.row.parameters]
    exact = dict(zip(names, case.exact_parameters, strict=True))
    for formula, (kink, declared) in zip(case.row.kinks, case.kinks, strict=False):
        if np.array(kink, dtype) != eval(str(formula[0]), {}, exact):
            continue  # no number of this type is the kink
        grad = case.activation.grad(np.full(67, kink, dtype), *case.parameters, backend=backend)
        assert (bits(grad) == bits(np.array(declared, dtype))).all(), f"{kink}: {grad[0]}"


@each_dtype
@each_default_case
def test_one_ulp_from_a_kink_is_beside_it(case: Case, backend: str, dtype: str) -> None:
    """Only the kink itself takes its value: its neighbours are on the one side or the other."""
    for kink, _ in case.kinks:
        near = step(np.array([kink], dtype), np.array([-1, 1]))
        far = np.array([kink - 1e-7, kink + 1e-7])
        result = case.activation.grad(near, *case.parameters, backend=backend)
        expected = case.activation.grad(far, *case.parameters, backend="numpy")
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


@each_case
def test_the_derivative_jumps_only_at_kinks(case: Case) -> None:
    spacing = 2.0**-10
    x = np.arange(-24, 24, spacing) + spacing / 3
    grad = approximate(case, "grad", x)
    jumps = np.abs(np.diff(grad)) > 0.02 * np.maximum(1, np.abs(grad[1:]))
    for kink, _ in case.kinks:
        jumps &= ~((x[:-1] < kink) & (kink < x[1:]))
    assert not jumps.any(), f"{case}: f' jumps at {x[:-1][jumps]}: declare it in catalogue.py"


@pytest.mark.parametrize(
    ("row", "kink"),
    [(case.row, kink) for case in DEFAULT_CASES for kink, _ in case.kinks],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_declared_kinks_are_kinks(row: Any, kink: float) -> None:
    """With some parameters; elu has none at alpha=1."""
    beside = np.array([kink - 1e-9, kink + 1e-9])
    grads = [approximate(case, "grad", beside) for case in CASES if case.row is row]
    assert any(abs(low - high) > 0.1 for low, high in grads)


@functools.lru_cache(maxsize=2)  # for all backends
def tolerance_from_output(dtype: str, case: Case) -> np.ndarray:
    """Return how far from g f'(x) the product from y may be, for the gradients and ``values``.

    With h(y) = f'(x): y is within BOUND ulp of f(x), so h(y) is as near to f'(x) as h changes over
    that distance; then both verbs round.
    """
    y = outputs(dtype, case)
    g = gradients(dtype, y.size)
    wide = np.where(np.isfinite(y), y, 0).astype(np.longdouble)
    apart = BOUNDS[dtype] * ulp(wide, dtype)
    h = approximate(case, "grad_from_output", wide)
    changes = [np.abs(approximate(case, "grad_from_output", wide + s * apart) - h) for s in (-1, 1)]
    with np.errstate(all="ignore"):
        exact = np.abs(g * approximate_at_values(dtype, case, "grad"))
        smallest = np.longdouble(np.finfo(dtype).smallest_subnormal)
        rounding = 2 * (BOUNDS[dtype] + 0.5) * ulp(np.where(np.isfinite(exact), exact, 1), dtype)
        return np.abs(g) * (np.maximum(*changes) + 2 * smallest) + rounding


@each_dtype
@each_case_from_output
def test_backward_from_output_is_backward(case: Case, backend: str, dtype: str) -> None:
    """Up to the conditioning of f' as a function of y, for a y with the error that f may have."""
    x, y = values(dtype, case), outputs(dtype, case)
    g = gradients(dtype, x.size)
    verbs = case.activation
    with fa.use_backend(backend), fa.use_precision("faithful"):
        from_output = verbs.backward_from_output(g, y, *case.parameters)
        from_input = verbs.backward(g, x, *case.parameters)

    finite, tolerance = np.isfinite(y), tolerance_from_output(dtype, case)
    with np.errstate(all="ignore"):
        difference = np.abs(from_output.astype(np.longdouble) - from_input)
        close = (difference <= tolerance) | (bits(from_output) == bits(from_input))
        close |= np.isinf(from_output) | np.isinf(from_input)
    wrong = np.flatnonzero(finite & ~close)[:3]
    assert not wrong.size, (
        f"{case}: g = {g[wrong]}, x = {x[wrong]}, y = {y[wrong]}: "
        f"{from_output[wrong]} from y, {from_input[wrong]} from x"
    )


@each_case_from_output
def test_infinite_outputs(case: Case, backend: str) -> None:
    x = np.array([-np.inf, np.inf])
    y = case.activation(x, *case.parameters, backend=backend)
    from_output = case.activation.backward_from_output(1.0, y, *case.parameters, backend=backend)
    grad = case.activation.grad(x, *case.parameters, backend=backend)
    np.testing.assert_allclose(from_output, grad, rtol=0, atol=1e-15)
