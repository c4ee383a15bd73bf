"""f' as a function of y = f(x): within the bounds of f', and 0 where y has reached a bound of f.

y counts as exact. Most points lie beside the ends of the range of f and its branch points, where
``y + alpha`` and the like cancel. A bound that is not a number of the dtype is reached at the
nearest one: there, and beyond, f' is 0 and not what the rounding error leaves of it.
"""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from inputs import CASES_FROM_OUTPUT, Case, distances, neighbours
from test_accuracy_float16 import DTYPES as SIXTEEN_BITS
from test_accuracy_float32 import bounds
from truth import OUTPUT_BOUNDS, exact, worst_exact

import fastact as fa

DTYPES = {**SIXTEEN_BITS, "float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}

#: With these, a bound may be any number.
BOUNDED = {
    "hard_tanh": lambda v: (-v, v),
    "clipped_linear": lambda v: (2.0, 0.1, -v, v),
    "scaled_tanh": lambda v: (v, 0.7),
    "elu": lambda v: (v,),
    "celu": lambda v: (v,),
    "selu": lambda v: (),
}

CASES = (
    *CASES_FROM_OUTPUT,
    *(
        Case(fa.get(name).row, tuple(map(float, BOUNDED[name](v))))
        for name in OUTPUT_BOUNDS
        for v in (0.7, 1.1, 1.7, 123.4)
        if BOUNDED[name](v)
    ),
)

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_bounded = pytest.mark.parametrize("name", BOUNDED)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def ends(case: Case) -> list[float]:
    """Return the ends of the range of f, and where f' of y changes its formula."""
    x = np.array([-np.inf, -1, 0, 1, np.inf])
    with np.errstate(all="ignore"):
        y = case.activation(x, *case.parameters, backend="numpy")
    return [float(value) for value in {0.0, 1.0, *y} if np.isfinite(value)]


@functools.cache
def outputs(case: Case, dtype: str) -> np.ndarray:
    """Return numbers beside the ends, within the range and beyond it."""
    rng = np.random.default_rng(20_261_130)
    points = ends(case)
    low, high = min(points), max(points)
    wide = np.float32 if dtype in SIXTEEN_BITS else DTYPES[dtype]
    y = np.concatenate(
        [
            neighbours(points, wide, 6),
            distances(points, wide, 12),
            rng.uniform(low, high, 40).astype(wide),
            rng.uniform(0, 1, 40).astype(wide),
            np.array([-300, -3, -1.5, 1.5, 3, 300], wide),
        ]
    )
    return np.unique(y.astype(DTYPES[dtype]))


@functools.cache
def truth(case: Case, dtype: str) -> list[Any]:
    return exact(case, "grad_from_output", outputs(case, dtype))


def allowed(case: Case, dtype: str, precision: str) -> Any:
    """Return the bound in ulp: 16 bits are rounded from float64."""
    if dtype in SIXTEEN_BITS:
        return 0.5 * (1 + 2.0**-38)
    return 2.0 if dtype == "float64" else bounds(case, precision, truth(case, dtype))


@each_dtype
@each_case
def test_within_the_bounds_of_the_derivative(
    case: Case, dtype: str, backend: str, precision: str
) -> None:
    if precision == "faithful" and dtype != "float32":
        return  # the same
    y = outputs(case, dtype)
    verb = case.activation.backward_from_output
    result = verb(np.ones_like(y), y, *case.parameters, backend=backend, precision=precision)
    found = worst_exact(y, result, truth(case, dtype), allowed(case, dtype, precision))
    assert found.is_within, f"{case}: {found}"


@functools.cache
def saturated(name: str, dtype: str) -> list[tuple[Case, np.ndarray]]:
    """Return for each number with one decimal the bounds, rounded, and numbers beyond."""
    found = []
    for v in [n / 10 for n in range(1, 100, 6)]:
        case = Case(fa.get(name).row, tuple(map(float, BOUNDED[name](v))))
        x = np.array([-1e4, 1e4]).astype(DTYPES[dtype])
        y = case.activation(x, *case.parameters, backend="numpy").astype(np.float64)
        y = y[np.abs(y) < 1e3]
        found.append((case, np.concatenate([y, y * 1.01, y * 100]).astype(DTYPES[dtype])))
    return found


@each_dtype
@each_bounded
def test_a_bound_is_reached_where_it_is_rounded(
    name: str, dtype: str, backend: str, precision: str
) -> None:
    for case, y in saturated(name, dtype):
        verb = case.activation.backward_from_output
        for parameters in (case.parameters, [np.full(y.shape, v) for v in case.parameters]):
            result = verb(np.ones_like(y), y, *parameters, backend=backend, precision=precision)
            assert not result.any(), f"{case}: {result} at {y}"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@each_bounded
def test_a_wider_gradient_changes_no_bound(name: str, dtype: str, backend: str) -> None:
    for case, y in saturated(name, dtype)[::4]:
        verb = case.activation.backward_from_output
        for g in (np.ones(y.size, np.float32), np.ones(y.size)):
            assert not verb(g, y, *case.parameters, backend=backend).any(), case


@pytest.mark.parametrize("dtype", SIXTEEN_BITS)
@each_bounded
def test_never_below_zero(name: str, dtype: str, backend: str) -> None:
    """For all numbers of 16 bits, from tables and from few elements."""
    y = np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])
    for case, _ in saturated(name, dtype)[1::6]:
        verb = case.activation.backward_from_output
        for part in (y, y[::16]):
            result = verb(np.ones_like(part), part, *case.parameters, backend=backend)
            assert not (result.astype(np.float32) < 0).any(), case
            assert (np.isnan(result.astype(np.float32)) == np.isnan(part.astype(np.float32))).all()


def test_selu_beside_its_limit(backend: str) -> None:
    """f' is the difference of y and a constant with digits beyond those of float64."""
    limit = -1.7580993408473768599
    y = np.array([limit, np.nextafter(limit, 0)])
    grad = fa.selu.backward_from_output(1.0, y, backend=backend)
    assert grad.tolist() == [0, 2.0**-52 + 1.4153519380084502e-17]


@each_dtype
@each_case
def test_backends_agree_beyond_the_range(case: Case, dtype: str, backend: str) -> None:
    magnitudes = [0, 1e-30, 1e-3, 0.5, 0.99, 1, 1.01, 1.7, 1.8, 3, 6, 100, 6e4, np.inf]
    positive = np.array(magnitudes).astype(DTYPES[dtype])
    y = np.concatenate([-positive, positive])
    verb = case.activation.backward_from_output
    expected = verb(np.ones_like(y), y, *case.parameters, backend="numpy")
    result = verb(np.ones_like(y), y, *case.parameters, backend=backend)
    tolerance = 4 * float(ml_dtypes.finfo(y.dtype).eps)
    wide, reference = result.astype(np.float64), expected.astype(np.float64)
    np.testing.assert_allclose(wide, reference, tolerance, 1e-37)
