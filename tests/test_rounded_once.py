"""float64: the NumPy backend rounds once where the compiled ones do, in spite of long double."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

import fastact as fa

SIZE = 100_000
SLOPE = 0.3

#: Verbs whose result is one product or one sum, exactly, with its parameters.
ONE_OPERATION = {
    "leaky_relu": (("forward", "backward", "backward_from_output"), (SLOPE,)),
    "prelu": (("forward",), (SLOPE,)),
    "rrelu": (("forward", "backward"), (0.1, 0.5)),
    "squared_relu": (("forward", "backward"), ()),
    "soft_shrink": (("forward",), (SLOPE,)),
    "sparse_sigmoid": (("forward",), ()),
    "exponential": (("backward_from_output",), ()),
    "clipped_linear": (("forward", "backward", "backward_from_output"), (SLOPE, 0.1, -9.0, 9.0)),
}
CASES = [(name, verb) for name, (verbs, _) in ONE_OPERATION.items() for verb in verbs]


def _result(name: str, verb: str, g: np.ndarray, x: np.ndarray, backend: str) -> np.ndarray:
    function: Callable[..., np.ndarray] = fa.get(name)
    arrays = (x,)
    if verb != "forward":
        function, arrays = getattr(function, verb), (g, x)
    return function(*arrays, *ONE_OPERATION[name][1], backend=backend)


@pytest.mark.parametrize(("name", "verb"), CASES)
def test_backends_agree_to_the_bit(name: str, verb: str, backend: str) -> None:
    rng = np.random.default_rng(7)
    g, x = rng.normal(0, 1, SIZE), rng.normal(0, 2, SIZE)
    if verb == "backward_from_output":
        x = np.abs(x)
    expected = _result(name, verb, g, x, "numpy")
    np.testing.assert_array_equal(_result(name, verb, g, x, backend), expected)


def test_products_are_rounded_right() -> None:
    x = -np.abs(np.random.default_rng(7).normal(0, 2, SIZE // 5))
    given = fa.leaky_relu(x, SLOPE, backend="numpy")
    expected = [float(Fraction(SLOPE) * Fraction(value)) for value in x.tolist()]
    np.testing.assert_array_equal(given, expected)
