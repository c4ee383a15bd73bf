"""NaN, infinities, signed zeros and huge numbers, at every position of an array of any length.

Positions matter because compiled loops have a vector body, a tail, and one part for each thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from inputs import CASES, DEFAULT_CASES, Case, planted, specials
from truth import bits, exact, ulp_error

import fastact as fa

# float64 has one precision.
DTYPES = (("float32", "fast"), ("float32", "faithful"), ("float64", "faithful"))
VERBS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_default_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_dtype = pytest.mark.parametrize(
    ("dtype", "precision"), DTYPES, ids=["float32-fast", "float32-faithful", "float64"]
)


def verbs_of(case: Case) -> list[str]:
    without = () if case.has_derivative_from_output else ("backward_from_output",)
    return [verb for verb in VERBS if verb not in without]


CASES_AND_VERBS = [(case, verb) for case in CASES for verb in verbs_of(case)]


def evaluate(case: Case, verb: str, g: Any, x: Any, parameters: Any = None) -> tuple[Any, ...]:
    """Return the results of a verb as a tuple; ``g`` is for those that take it.

    They are written over a number that no result is: what a loop leaves out, shows.
    """
    function = case.activation if verb == "forward" else getattr(case.activation, verb)
    arrays = (g, x) if verb.startswith("backward") else (x,)
    out = tuple(np.full_like(x, 12345.678) for _ in range(function.nout))
    results = function(*arrays, *(case.parameters if parameters is None else parameters), out=out)
    return results if isinstance(results, tuple) else (results,)


@each_dtype
@each_case
def test_nan_gives_nan(case: Case, backend: str, precision: str, dtype: str) -> None:
    nan = specials(dtype)[np.isnan(specials(dtype))]
    x_alone = [(np.ones_like(nan), nan)]
    with_gradient = [(nan, np.full_like(nan, 0.25)), (nan, np.full_like(nan, -0.25)), (nan, nan)]
    with fa.use_backend(backend), fa.use_precision(precision):
        for verb in verbs_of(case):
            for g, x in x_alone + with_gradient * verb.startswith("backward"):
                for result in evaluate(case, verb, g, x):
                    assert np.isnan(result).all(), f"{verb}, g = {g}, x = {x}"


@each_dtype
@each_default_case
def test_infinity_gives_the_limit(case: Case, backend: str, precision: str, dtype: str) -> None:
    x = np.array([-np.inf, np.inf], dtype)
    value, grad = case.activation.value_and_grad(
        x, *case.parameters, backend=backend, precision=precision
    )
    assert bits(value).tolist() == bits(np.array(case.row.limits, dtype)).tolist(), value
    assert bits(grad).tolist() == bits(np.array(case.row.derivative_limits, dtype)).tolist(), grad


@each_default_case
def test_limits_of_the_catalogue_are_true(case: Case) -> None:
    infinities = np.array([-np.inf, np.inf])
    pairs = (("value", case.row.limits), ("grad", case.row.derivative_limits))
    for function, limits in pairs:
        errors = ulp_error(np.array(limits), exact(case, function, infinities))
        assert errors.max() <= 0.5, f"{case.row.name}, {function}: {limits}; see catalogue.py"


@each_dtype
@each_default_case
def test_zero_keeps_its_sign(case: Case, backend: str, precision: str, dtype: str) -> None:
    x = np.array([-0.0, 0.0], dtype)
    result = case.activation(x, *case.parameters, backend=backend, precision=precision)
    if exact(case, "value", x[:1])[0] == 0:
        has_one_zero = case.row.name in ("squared_relu", "hard_shrink")
        expected = abs(x) if has_one_zero else x
        assert bits(result).tolist() == bits(expected).tolist(), result


@each_dtype
@each_case
def test_huge_numbers_do_not_overflow_on_the_way(
    case: Case, backend: str, precision: str, dtype: str
) -> None:
    x = np.finfo(dtype).max * np.array([-1, -0.7, -0.5, -0.4, 0.4, 0.5, 0.7, 1], dtype)
    value, grad = case.activation.value_and_grad(
        x, *case.parameters, backend=backend, precision=precision
    )
    for result, function in ((value, "value"), (grad, "grad")):
        errors = ulp_error(result, exact(case, function, x))
        assert errors.max() <= (4 if precision == "fast" else 1), (
            f"{case}, {function} of {x}: {result}"
        )


def test_huge_gelu() -> None:
    assert fa.gelu(np.float32(1.7e38)) == np.float32(1.7e38)
    assert fa.relu(np.float32(3.4e38)) == np.float32(3.4e38)


def test_negative_zero_of_relu(backend: str) -> None:
    assert np.signbit(fa.relu(np.full(67, -0.0), backend=backend)).all()


class Elements:
    """A set of elements, and what a verb gives for each when it is computed alone."""

    def __init__(self, case: Case, verb: str, dtype: str) -> None:
        self.x = np.unique(bits(planted(dtype, 229))).view(dtype)
        assert np.isnan(self.x).any()
        self.g = np.linspace(-2, 3, self.x.size, dtype=dtype)
        alone = [
            evaluate(case, verb, self.g[i : i + 1], self.x[i : i + 1]) for i in range(self.x.size)
        ]
        self.results = [np.concatenate(parts) for parts in zip(*alone, strict=True)]

    def chosen(self, length: int) -> np.ndarray:
        """Return indices of elements: each length begins elsewhere, and neighbours differ."""
        return (np.arange(length) * 89 + length * 31) % self.x.size

    def check(self, results: Any, chosen: np.ndarray, what: str) -> None:
        for result, alone in zip(results, self.results, strict=True):
            expected = alone[chosen]
            if result.tobytes() != expected.tobytes():  # quicker than bits, which forgive NaN
                same = bits(result) == bits(expected)
                assert same.all(), f"{what}: differs for x = {self.x[chosen[~same]][:5]}"


each_default_case_and_verb = pytest.mark.parametrize(
    ("case", "verb"),
    [(case, verb) for case, verb in CASES_AND_VERBS if case.is_default],
    ids=[f"{case}-{verb}" for case, verb in CASES_AND_VERBS if case.is_default],
)


@each_dtype
@each_default_case_and_verb
def test_each_element_stands_alone(
    case: Case, verb: str, backend: str, precision: str, dtype: str
) -> None:
    """Results do not depend on position, length, strides or threads, to the bit."""
    with fa.use_backend(backend), fa.use_precision(precision):
        elements = Elements(case, verb, dtype)
        g, x = elements.g, elements.x
        for length in range(1, 68):
            chosen = elements.chosen(length)
            results = evaluate(case, verb, g[chosen], x[chosen])
            elements.check(results, chosen, f"length {length}")

        chosen = elements.chosen(67)
        spread_g, spread_x = np.repeat(g[chosen], 3)[::-3], np.repeat(x[chosen], 2)[::-2]
        results = evaluate(case, verb, spread_g, spread_x)
        elements.check(results, chosen[::-1], "negative strides")

        if precision == "faithful":  # fast is for parameters that are numbers
            arrays = [np.full(67, value) for value in case.parameters]
            results = evaluate(case, verb, g[chosen], x[chosen], arrays)
            elements.check(results, chosen, "parameters in arrays")

        chosen = elements.chosen(2 * case.row.chunk + 37)
        for num_threads in (1, 2, 3):
            with fa.use_threads(num_threads):
                results = evaluate(case, verb, g[chosen], x[chosen])
            elements.check(results, chosen, f"{num_threads} threads")
