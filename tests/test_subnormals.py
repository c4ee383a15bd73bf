"""float64: subnormal inputs get results that are rounded once, and in the time of other inputs."""

from __future__ import annotations

import time

import mpmath as mp
import numpy as np
import pytest
from inputs import CASES, DEFAULT_CASES, Case
from truth import DIGITS, exact, worst_exact

import fastact as fa
from fastact import config

DTYPE = np.float64
#: In ulp. The factors of mish, 0.6, of selu and of scaled_tanh, a b, are not doubles: they are
#: rounded too.
BOUND = 0.5
BOUNDS = {"mish": 0.62, "selu": 0.75, "scaled_tanh": 1.0}

#: Measured: 1.0. A product of a hundred cycles in each vector makes it 2 to 80.
SLOWER = 1.7

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def subnormals() -> np.ndarray:
    """Return mantissas of all lengths, the ends, odd ones (half of them is a tie), and zeros."""
    random = np.random.default_rng(20_261_125)
    lengths = np.arange(52).repeat(4)
    mantissas = np.concatenate([
        [0, 1, 2, 3, 5, 7, (1 << 52) - 1, (1 << 52) - 2, 1 << 51, (1 << 51) + 1],
        random.integers(1, 1 << 52, lengths.size) >> lengths,
    ])  # fmt: skip
    positive = mantissas.astype(np.int64).view(DTYPE)
    return np.concatenate([positive, -positive])


@each_case
def test_the_value_is_rounded_once(case: Case, backend: str) -> None:
    x = subnormals()
    result = case.activation(x, *case.parameters, backend=backend)
    bound = BOUNDS.get(case.row.name, BOUND)
    if case.row.name in (
        "exponential",
        "sigmoid",
        "log_sigmoid",
        "softplus",
        "squareplus",
    ):  # normal numbers
        bound = 2.0
    found = worst_exact(x, result, exact(case, "value", x), bound)
    assert found.is_within, f"{case}: {found}"


@each_case
def test_the_derivative_is_that_at_zero(case: Case, backend: str) -> None:
    x = subnormals()
    x = x[x != 0]
    found = case.activation.grad(x, *case.parameters, backend=backend)
    if case.row.name == "squared_relu":
        expected = 2 * np.maximum(x, 0)
    elif case.row.name == "hard_swish" and case.parameters[1] == 0:
        pytest.skip("its derivative vanishes at zero")
    else:
        tiny = np.copysign(1e-200, x)
        expected = case.activation.grad(tiny, *case.parameters, backend=backend)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("exponent", [-1030, -60, -2, -1, 0, 1, 30, 51, 52, 53, 500, 1000, 1022])
def test_squared_relu_multiplies_them_by_any_gradient(exponent: int, backend: str) -> None:
    """2 g x may be normal, and x never: the product is rounded once, twice where not fused."""
    x = subnormals()
    g = np.ldexp(np.random.default_rng(20_261_127).uniform(1, 2, x.size), exponent)
    g[1::2] *= -1
    result = fa.squared_relu.backward(g, x, backend=backend)
    with mp.workdps(DIGITS):
        truth = [2 * mp.mpf(a) * max(mp.mpf(b), 0) for a, b in zip(g, x, strict=True)]
    found = worst_exact(x, result, truth, 1.0)
    assert found.is_within, f"{found}"


def test_squared_relu_of_them_keeps_gradients_that_are_no_numbers(backend: str) -> None:
    g = np.array([np.inf, -np.inf, np.nan, np.inf, np.nan])
    x = np.array([5e-324, 1e-310, 1e-310, 0, -1e-310])
    expected = np.array([np.inf, -np.inf, np.nan, np.nan, np.nan])
    result = fa.squared_relu.backward(g, x, backend=backend)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.skipif(config.cython_backend is None, reason="needs the extension")
@pytest.mark.parametrize("verb", ["forward", "grad", "backward"])
@pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
def test_they_take_no_longer(case: Case, verb: str) -> None:
    random = np.random.default_rng(20_261_126)
    x, g = random.normal(0, 3, (2, 8192))
    mixed = x.copy()
    mixed[::2] = random.choice(subnormals(), 4096)
    out = np.empty_like(x)

    def run(inputs: np.ndarray) -> float:
        start = time.perf_counter()
        if verb == "backward":
            case.activation.backward(g, inputs, *case.parameters, out=out, backend="cython")
        else:
            function = case.activation if verb == "forward" else case.activation.grad
            function(inputs, *case.parameters, out=out, backend="cython")
        return time.perf_counter() - start

    with fa.use_threads(1):
        times = [(run(x), run(mixed)) for _ in range(50)]
    normal, subnormal = np.min(times, axis=0)
    assert subnormal < SLOWER * normal, f"{subnormal / normal:.2f} times as long"
