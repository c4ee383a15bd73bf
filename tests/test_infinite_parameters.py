"""Infinite and NaN parameters: the limit of f and f', the same in every backend and dtype.

An infinite parameter stands for the limit at each finite x. Each backend must give it for numbers
and for arrays of parameters, in which the other elements keep the results of the backend.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from inputs import ROWS, Case, is_in_domain
from truth import bits, definition, worst_exact

import fastact as fa
from fastact.catalogue import Row

mp = pytest.importorskip("mpmath")

DTYPES = {"float16": 0.5, "bfloat16": 0.5, "float32": 1.0, "float64": 2.0}  # bounds in ulp
VERBS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")
#: Stands for an infinite parameter: its reciprocal is nothing beside any float, and it outgrows the
#: exponential of ``REACH``.
BEYOND = mp.ldexp(1, 10_000)
REACH = 1000
MULTIPLIES_AN_EXPONENTIAL = ("elu", "scaled_tanh")


def _cases(row: Row, values: tuple[float, ...]) -> Iterator[Case]:
    for i, parameter in enumerate(row.parameters):
        for value in values:
            case = Case(row, (*row.defaults[:i], value, *row.defaults[i + 1 :]))
            if is_in_domain(parameter.domain, value) and case.is_in_order:
                yield case


PARAMETRIC_ROWS = [row for row in ROWS if row.parameters and not row.kernels]
INFINITE = [case for row in PARAMETRIC_ROWS for case in _cases(row, (-math.inf, math.inf))]
NOT_NUMBERS = [case for row in PARAMETRIC_ROWS for case in _cases(row, (math.nan,))]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def inputs(dtype: str) -> np.ndarray:
    number = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype).type
    info = ml_dtypes.finfo(number)
    magnitudes = [0, info.smallest_subnormal, info.tiny, 0.5, 1, 3, 20, info.max, np.inf]
    positive = np.array([float(m) for m in magnitudes]).astype(number)
    return np.concatenate([-positive, positive, [np.nan]]).astype(number)


def results(verb: str, case: Case, x: np.ndarray, parameters: Any, backend: str) -> Any:
    activation = case.activation
    if verb == "forward":
        return (activation(x, *parameters, backend=backend),)
    if verb in ("grad", "value_and_grad"):
        found = getattr(activation, verb)(x, *parameters, backend=backend)
        return found if verb == "value_and_grad" else (found,)
    found = getattr(activation, verb)(np.ones_like(x), x, *parameters, backend=backend)
    return (found,)


def verbs_of(case: Case) -> tuple[str, ...]:
    if case.has_derivative_from_output:
        return VERBS
    return tuple(verb for verb in VERBS if verb != "backward_from_output")


@functools.cache
def finite_inputs(dtype: str, case: Case) -> np.ndarray:
    x = inputs(dtype)
    reach = REACH if case.row.name in MULTIPLIES_AN_EXPONENTIAL else np.inf
    return x[np.abs(x.astype(np.float64)) < reach]


@functools.cache
def truth(dtype: str, case: Case, function: str) -> list[Any]:
    formula = getattr(definition(case.row.name), function)
    with mp.workdps(60):
        parameters = [
            mp.mpf(p.numerator) / p.denominator if math.isfinite(v) else mp.sign(mp.mpf(v)) * BEYOND
            for p, v in zip(_exact(case), case.parameters, strict=True)
        ]
        found = [mp.mpf(formula(mp.mpf(float(x)), *parameters)) for x in finite_inputs(dtype, case)]
        # An underflow may have either sign.
        return [abs(t) if abs(t) < mp.ldexp(1, -2000) else t for t in found]


@each_dtype
@pytest.mark.parametrize("case", INFINITE, ids=str)
def test_results_are_the_limits(case: Case, dtype: str, backend: str) -> None:
    x = finite_inputs(dtype, case)
    pair = results("value_and_grad", case, x, case.parameters, backend)
    for result, function in zip(pair, ("value", "grad"), strict=True):
        unsigned_zeros = np.where(result == 0, np.abs(result), result)
        expected = truth(dtype, case, function)
        found = worst_exact(x, unsigned_zeros, expected, DTYPES[dtype])
        assert found.is_within, f"{case}, {function}: {found}"


def _exact(case: Case) -> Any:
    finite = [value if math.isfinite(value) else 0.0 for value in case.parameters]
    return case._replace(parameters=tuple(finite)).exact_parameters


@each_dtype
@pytest.mark.parametrize("case", [*INFINITE, *NOT_NUMBERS], ids=str)
def test_backends_agree_for_numbers_and_arrays(case: Case, dtype: str, backend: str) -> None:
    x = inputs(dtype)
    arrays = [np.full(x.shape, value) for value in case.parameters]
    for verb in verbs_of(case):
        expected = results(verb, case, x, case.parameters, "numpy")
        for parameters in (case.parameters, arrays):
            given = results(verb, case, x, parameters, backend)
            for value, reference in zip(given, expected, strict=True):
                wide, exact = value.astype(np.float64), reference.astype(np.float64)
                tolerance = 4 * float(ml_dtypes.finfo(x.dtype).eps)
                np.testing.assert_allclose(wide, exact, tolerance, 0, err_msg=f"{case}, {verb}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", INFINITE, ids=str)
def test_other_elements_keep_the_results_of_the_backend(
    case: Case, dtype: str, backend: str
) -> None:
    x = np.linspace(-3, 3, 13).astype(dtype)
    finite = [np.full(x.shape, value) for value in case.row.defaults]
    mixed = [
        np.where(np.arange(x.size) % 3 == 0, value, default)
        for value, default in zip(case.parameters, finite, strict=True)
    ]
    in_place = x.copy()
    case.activation(in_place, *mixed, out=in_place, backend=backend)
    for parameters, where in ((case.parameters, slice(0, None, 3)), (finite, slice(1, None, 3))):
        expected = case.activation(x, *parameters, backend=backend)
        np.testing.assert_array_equal(bits(in_place)[where], bits(expected)[where], str(case))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("threshold", (math.nan, 1.0)),
        ("hard_shrink", (math.nan,)),
        ("soft_shrink", (math.nan,)),
        ("hard_tanh", (math.nan, 1.0)),
        ("softplus", (math.nan,)),
        ("celu", (math.nan,)),
    ],
)
def test_nan_that_is_compared_is_an_error(
    name: str, parameters: tuple[float, ...], backend: str
) -> None:
    activation = fa.get(name)
    with pytest.raises(ValueError, match=rf"{name}: {activation.row.parameters[0].name} must be"):
        activation(np.ones(3), *parameters, backend=backend)


@pytest.mark.parametrize(
    ("verb", "expected"), [("forward", [-1.0, 2.0, -np.inf]), ("grad", [1.0, 1.0, 1.0])]
)
def test_celu_of_infinite_alpha_is_the_identity(
    verb: str, expected: list[float], backend: str
) -> None:
    function = fa.celu if verb == "forward" else fa.celu.grad
    x = np.array([-1.0, 2.0, -np.inf])
    np.testing.assert_array_equal(function(x, np.inf, backend=backend), expected)
