"""Parameters that are subnormal, huge or negative: the truth or its limit everywhere, never NaN."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from inputs import ROWS, Case, is_in_domain
from truth import DIGITS_OF_TIES, bits, exact, in_dtype, worst_exact

import fastact as fa
from fastact.catalogue import Parameter, Row

BOUNDS = {"float32": 1.0, "float64": 2.0}

#: The ends of the range of float64, those of float32, and what has a square at these ends.
MAGNITUDES = (
    *(5e-324, 1e-310, 2.2250738585072014e-308, 1e-292, 1e-154, 1e-45, 1e-40, 1e-20),
    *(1e20, 1e38, 1e39, 1e154, 1e292, 4e307, 1.7976931348623157e308),
)
#: For each pair of parameters of one row: every fifth of their combinations. These have
#: each of them, since 5 divides no number of values.
FEW_MAGNITUDES = (5e-324, 1e-310, 1e-154, 1.0, 1e154, 1.7976931348623157e308)


def _extremes(parameter: Parameter, magnitudes: tuple[float, ...]) -> list[float]:
    signed = [sign * magnitude for magnitude in magnitudes for sign in (1, -1)]
    return [value for value in signed if is_in_domain(parameter.domain, value)]


def _cases(row: Row, count: int) -> Iterator[Case]:
    """Yield cases with so many extreme parameters."""
    magnitudes, step = (MAGNITUDES, 1) if count == 1 else (FEW_MAGNITUDES, 5)
    for changed in itertools.combinations(range(len(row.parameters)), count):
        extremes = [_extremes(row.parameters[i], magnitudes) for i in changed]
        for values in itertools.islice(itertools.product(*extremes), 0, None, step):
            parameters = list(row.defaults)
            for i, value in zip(changed, values, strict=True):
                parameters[i] = value
            case = Case(row, tuple(parameters))
            if case.is_in_order:
                yield case


def _is_finite_in(dtype: str, case: Case) -> bool:
    """Whether no parameter is infinite in the dtype: test_infinite_parameters.py has those."""
    return all(map(math.isfinite, in_dtype(case, dtype).parameters))


PARAMETRIC_ROWS = [row for row in ROWS if row.parameters and not row.kernels]
CASES = {row.name: (*_cases(row, 1), *_cases(row, 2)) for row in PARAMETRIC_ROWS}

each_row = pytest.mark.parametrize("name", CASES)
each_dtype = pytest.mark.parametrize("dtype", BOUNDS)


@functools.cache
def inputs(dtype: str, case: Case) -> np.ndarray:
    """Return the ends of the range, zero, and where a parameter that scales x makes it about 1."""
    info = np.finfo(dtype)
    magnitudes = [
        *(0.0, info.smallest_subnormal, 7 * info.smallest_subnormal, info.tiny / 3, info.tiny),
        *(1e-20, 0.1, 1.0, 3.0, 700.0, 1e20, math.sqrt(info.max), info.max / 3, info.max, np.inf),
    ]
    with np.errstate(all="ignore"):
        for value in np.abs(case.parameters):
            magnitudes += [f * scale for f in (0.3, 1.0, 30.0) for scale in (value, 1 / value)]
        positive = np.unique(np.array(magnitudes).astype(dtype))
        x = np.concatenate([-positive, positive])
        # On which side of a kink x lies, a rounding decides.
        kinks = [kink for kink, _ in case.kinks if 0 < abs(kink) < np.inf]
        near = [abs(x - np.float64(kink)) < 1e-6 * abs(kink) + 1e-322 for kink in kinks]
    return x[~np.any(near, axis=0)] if near else x


@functools.cache
def truth(dtype: str, case: Case, function: str) -> list[Any]:
    # 1 and the smallest number have 324 digits between them.
    digits = DIGITS_OF_TIES if case.row.exponential_free else 80
    return exact(case, function, inputs(dtype, case), digits)


@each_dtype
@each_row
def test_values_and_derivatives(name: str, dtype: str, backend: str) -> None:
    for case in filter(functools.partial(_is_finite_in, dtype), CASES[name]):
        x = inputs(dtype, case)
        value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
        for result, function in ((value, "value"), (grad, "grad")):
            assert not np.isnan(result).any(), f"{case}, {function}: NaN at {x[np.isnan(result)]}"
            expected = truth(dtype, case, function)
            # Zeros have the sign of the limit; elsewhere, what underflows may have either.
            signs = np.array([-1 if t < 0 else 1 for t in expected])
            underflown = (result == 0) & np.isfinite(x)
            result[underflown] = np.copysign(result, signs)[underflown]
            found = worst_exact(x, result, expected, BOUNDS[dtype])
            assert found.is_within, f"{case}, {function}: {found}"


@each_dtype
@each_row
def test_other_verbs_give_no_nan(name: str, dtype: str, backend: str) -> None:
    for case in CASES[name]:
        x = inputs(dtype, case)
        g = np.ones_like(x)
        y, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
        results = {"backward": case.activation.backward(g, x, *case.parameters, backend=backend)}
        np.testing.assert_array_equal(results["backward"], grad, str(case))
        if case.has_derivative_from_output:
            results["backward_from_output"] = case.activation.backward_from_output(
                g, y, *case.parameters, backend=backend
            )
        for verb, result in results.items():
            assert not np.isnan(result).any(), f"{case}, {verb}: NaN at {x[np.isnan(result)]}"


@each_dtype
@each_row
def test_parameters_in_arrays_give_the_same(name: str, dtype: str, backend: str) -> None:
    for case in CASES[name]:
        x = inputs(dtype, case)
        arrays = [np.full(x.shape, value) for value in case.parameters]
        for given, expected in zip(
            case.activation.value_and_grad(x, *arrays, backend=backend),
            case.activation.value_and_grad(x, *case.parameters, backend=backend),
            strict=True,
        ):
            np.testing.assert_array_equal(bits(given), bits(expected), str(case))


def _lines_beside_a_bound(dtype: str) -> Iterator[tuple[float, float, float, float]]:
    """Yield x, slope, offset and a bound that is the line but for a rounding error."""
    random = np.random.default_rng(20_261_201)
    points = [*range(-12, 13), *random.normal(0, 3, 40)]
    for number in np.array(points, dtype):
        x = float(number)
        for slope, bound in itertools.product((1 / 6, 0.2, 0.7, -1 / 3), (0.0, 1.0)):
            exact_slope = Fraction(1, 6) if slope == 1 / 6 else Fraction(slope)
            nearest = float(bound - exact_slope * Fraction(x))
            for offset in (nearest, math.nextafter(nearest, 9), math.nextafter(nearest, -9)):
                yield x, slope, offset, bound
    for tiny in (1e-40, 5e-324):
        for sign in (1, -1):
            yield from ((6.0, 1 / 6, sign * tiny, 1.0), (0.0, 1 / 6, sign * tiny, 0.0))


@each_dtype
def test_a_line_beside_a_bound_is_on_the_right_side(dtype: str, backend: str) -> None:
    lines = list(_lines_beside_a_bound(dtype))
    x, slopes, offsets, _ = (np.array(column) for column in zip(*lines, strict=True))
    results = fa.hard_sigmoid.grad(x.astype(dtype), slopes, offsets, backend=backend)
    swish = fa.hard_swish.grad(x.astype(dtype), slopes, offsets, backend=backend)
    for line, result, swish_result in zip(lines, results, swish, strict=True):
        point, slope, offset, _ = line
        exact_slope = Fraction(1, 6) if slope == 1 / 6 else Fraction(slope)
        height = exact_slope * Fraction(point) + Fraction(offset)
        inside = 0 < height < 1
        assert result == (np.dtype(dtype).type(slope) if inside else 0), (line, result)
        inner = np.dtype(dtype).type(exact_slope * Fraction(point) + height)
        expected = inner if inside else height >= 1
        np.testing.assert_allclose(swish_result, expected, 4 * np.finfo(dtype).eps, 0, str(line))


def test_a_line_beside_0_keeps_its_digits(backend: str) -> None:
    """5/6 as a double is above 5/6."""
    for dtype in BOUNDS:
        height = fa.hard_sigmoid(np.array([-5], dtype), offset=5 / 6, backend=backend)[0]
        truth = float(Fraction(5 / 6) - Fraction(5, 6))
        np.testing.assert_allclose(height, truth, 2 * np.finfo(dtype).eps)
