"""float16 and bfloat16: each of the 65,536 inputs gives the result nearest to the truth.

So does each product of a gradient with the derivative there. Arrays are long enough for tables.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
from inputs import CASES, CASES_FROM_OUTPUT, DEFAULT_CASES, Case
from test_special_values import CASES_AND_VERBS
from truth import DIGITS, approximate, bits, nearest, rounded, ulp_error

import fastact as fa
from fastact import config, tables

DTYPES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}

#: Products and tables are the same code for every activation: other parameters of two are enough.
FEW_CASES = [case for case in CASES if case.is_default or case.row.name in ("leaky_relu", "silu")]

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_of_few_cases = pytest.mark.parametrize("case", FEW_CASES, ids=str)
each_default_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_case_from_output = pytest.mark.parametrize(
    "case", [case for case in CASES_FROM_OUTPUT if case in FEW_CASES], ids=str
)
each_of_few_cases_and_verb = pytest.mark.parametrize(
    ("case", "verb"),
    [(case, verb) for case, verb in CASES_AND_VERBS if case in FEW_CASES],
    ids=[f"{case}-{verb}" for case, verb in CASES_AND_VERBS if case in FEW_CASES],
)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def all_inputs(dtype: str) -> np.ndarray:
    return np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])


@functools.cache
def truth_at_all_inputs(dtype: str, case: Case, function: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # signalling NaN
        return approximate(case, function, all_inputs(dtype).astype(np.float64), DTYPES[dtype])


@functools.cache
def nearest_at_all_inputs(dtype: str, case: Case, function: str) -> np.ndarray:
    """Return the numbers nearest to the truth; where long double sees a tie, by mpmath.

    gelu(x) = x/2 + x**2 / sqrt(2 pi), for one, is x/2 to all digits for a tiny x of bfloat16. What
    ``DIGITS`` do not tell from a tie counts as one: tanhshrink(258) = 257 + 2e-224.
    """
    x, truth = all_inputs(dtype), truth_at_all_inputs(dtype, case, function)
    numbers = rounded(truth, DTYPES[dtype])
    with np.errstate(invalid="ignore"):  # signalling NaN
        ties = np.flatnonzero(ulp_error(numbers, truth) >= 0.5 * (1 - 2.0**-40))
    numbers[ties] = [nearest(case, function, x[tie], [DIGITS]) for tie in ties]
    return numbers


def check(dtype: str, case: Case, function: str, result: np.ndarray) -> None:
    """Check that each result is the nearest number; zero that is the truth may have either sign."""
    x, truth = all_inputs(dtype), truth_at_all_inputs(dtype, case, function)
    wanted = nearest_at_all_inputs(dtype, case, function)
    assert result.dtype == DTYPES[dtype]
    wrong = (bits(result) != bits(wanted)) & ~((truth == 0) & (result == 0))
    assert not wrong.any(), (
        f"{case}, {function}: {wrong.sum()} wrong, the first at {float(x[wrong][0]).hex()}: "
        f"got {result[wrong][0]}, truth {truth[wrong][0]}"
    )


@each_dtype
@each_case
def test_forward(case: Case, backend: str, dtype: str) -> None:
    result = case.activation(all_inputs(dtype), *case.parameters, backend=backend)
    check(dtype, case, "value", result)


@each_dtype
@each_case
def test_grad(case: Case, backend: str, dtype: str) -> None:
    result = case.activation.grad(all_inputs(dtype), *case.parameters, backend=backend)
    check(dtype, case, "grad", result)


@each_dtype
@each_default_case
def test_value_and_grad_are_call_and_grad(case: Case, backend: str, dtype: str) -> None:
    x = all_inputs(dtype)
    value, grad = case.activation.value_and_grad(x, *case.parameters, backend=backend)
    single = case.activation(x, *case.parameters, backend=backend)
    single_grad = case.activation.grad(x, *case.parameters, backend=backend)
    np.testing.assert_array_equal(bits(value), bits(single))
    np.testing.assert_array_equal(bits(grad), bits(single_grad))


# --- times a gradient ----------------------------------------------------------------------------


def special_gradients(dtype: str) -> np.ndarray:
    """Return 0, the ends of the ranges, 1/2, 1/3, infinity, NaN of the first and last payload."""
    info = ml_dtypes.finfo(DTYPES[dtype])
    largest_subnormal = info.smallest_normal - info.smallest_subnormal
    finite = [0, info.smallest_subnormal, largest_subnormal, info.smallest_normal, info.max]
    numbers = np.array([*map(float, finite), 0.5, 1 / 3]).astype(DTYPES[dtype])
    infinity = np.array(np.inf, DTYPES[dtype]).view(np.uint16)[()]
    not_finite = np.array([infinity, infinity + 1, 0x7FFF], np.uint16).view(DTYPES[dtype])
    return np.concatenate([numbers, not_finite])


@functools.cache
def pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each special gradient with every number, and random ones twice with every number."""
    x = all_inputs(dtype)
    random = np.random.default_rng(20_261_125)
    g = [np.full_like(x, special) for special in special_gradients(dtype)]
    g += [random.permutation(x) for _ in range(2)]
    return np.concatenate(g), np.tile(x, len(g))


class Products(NamedTuple):
    """What ``pairs`` give with the factors at each number; for all backends."""

    factors: np.ndarray
    nearest: np.ndarray
    #: Infinity times 0, and 0 times infinity.
    infinity_by_zero: np.ndarray
    zero_by_infinity: np.ndarray


def products(dtype: str, factors: np.ndarray) -> Products:
    g, x = pairs(dtype)
    factors = np.tile(factors, x.size // factors.size)
    with np.errstate(all="ignore"):
        return Products(
            factors,
            rounded(g.astype(np.float64) * factors, DTYPES[dtype]),
            np.isinf(g) & (factors == 0),
            (g == 0) & np.isinf(factors),
        )


def check_products(dtype: str, expected: Products, result: np.ndarray) -> None:
    """Check that each product is the nearest number, or either where float64 sees a tie.

    The factors are float64, so the product of long doubles is exact. Those of the kernels are
    up to 2 ulp off. Infinity times what is 0 in float64 may be infinity, as in long double; 0 times
    what is infinite there may be 0.
    """
    assert result.dtype == DTYPES[dtype]
    with np.errstate(all="ignore"):
        assert not np.isfinite(result[expected.infinity_by_zero]).any()
        assert not (np.abs(result[expected.zero_by_infinity]) > 0).any()
        doubtful = bits(result) != bits(expected.nearest)
        doubtful &= ~(expected.infinity_by_zero | expected.zero_by_infinity)
        g, factors, result = pairs(dtype)[0][doubtful], expected.factors[doubtful], result[doubtful]
        truth = g.astype(np.longdouble) * factors.astype(np.longdouble)
        errors = ulp_error(result, truth)
    wrong = np.flatnonzero(~(errors <= 0.5 * (1 + 2.0**-38)))
    assert not wrong.size, (
        f"{wrong.size} wrong, the first {g[wrong[0]]} * {factors[wrong[0]]!r}: "
        f"got {result[wrong[0]]}, truth {truth[wrong[0]]}"
    )


@functools.lru_cache(maxsize=1)
def backward_products(dtype: str, case: Case) -> Products:
    with np.errstate(all="ignore"):
        return products(dtype, truth_at_all_inputs(dtype, case, "grad").astype(np.float64))


@each_dtype
@each_of_few_cases
def test_backward(case: Case, backend: str, dtype: str) -> None:
    result = case.activation.backward(*pairs(dtype), *case.parameters, backend=backend)
    check_products(dtype, backward_products(dtype, case), result)


@functools.lru_cache(maxsize=1)
def products_from_output(dtype: str, case: Case) -> tuple[np.ndarray, Products]:
    """Return outputs beside the gradients of ``pairs``, and the products of these with f'."""
    with np.errstate(all="ignore"):
        y = rounded(truth_at_all_inputs(dtype, case, "value"), DTYPES[dtype])
        factors = approximate(case, "grad_from_output", y).astype(np.float64)
    return np.tile(y, pairs(dtype)[0].size // y.size), products(dtype, factors)


@each_dtype
@each_case_from_output
def test_backward_from_output(case: Case, backend: str, dtype: str) -> None:
    y, expected = products_from_output(dtype, case)
    verb = case.activation.backward_from_output
    result = verb(pairs(dtype)[0], y, *case.parameters, backend=backend)
    check_products(dtype, expected, result)


# --- a table changes nothing ---------------------------------------------------------------------

PIECE = 8192  # too few for a table


def evaluate(
    case: Case, verb: str, arrays: tuple[np.ndarray, ...], parameters: Any, out: Any = None
) -> list[np.ndarray]:
    function = case.activation if verb == "forward" else getattr(case.activation, verb)
    results = function(*arrays, *parameters, out=out)
    return list(results) if isinstance(results, tuple) else [results]


def without_tables(case: Case, verb: str, arrays: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    assert PIECE < tables.WORTH_A_TABLE
    parameters = [np.full(PIECE, value) for value in case.parameters]
    pieces = zip(*(np.split(array, array.size // PIECE) for array in arrays), strict=True)
    results = [evaluate(case, verb, piece, parameters) for piece in pieces]
    return [np.concatenate(parts) for parts in zip(*results, strict=True)]


@each_dtype
@each_of_few_cases_and_verb
def test_a_table_changes_nothing(case: Case, verb: str, backend: str, dtype: str) -> None:
    """Be it there already or not, and wherever the result goes."""
    random = np.random.default_rng(20_261_126)
    x, g = (random.permutation(all_inputs(dtype))[: tables.WORTH_A_TABLE] for _ in range(2))
    arrays = (g, x) if verb.startswith("backward") else (x,)
    with fa.use_backend(backend):
        expected = without_tables(case, verb, arrays)
        found = [evaluate(case, verb, arrays, case.parameters) for _ in range(2)]
        if len(expected) == 1:
            found.append(evaluate(case, verb, arrays, case.parameters, np.empty_like(x)))
            for i in range(len(arrays)):
                copies = [array.copy() for array in arrays]
                found.append(evaluate(case, verb, tuple(copies), case.parameters, copies[i]))
    for results in found:
        for result, wanted in zip(results, expected, strict=True):
            np.testing.assert_array_equal(bits(result), bits(wanted))


@each_dtype
def test_backward_with_the_number_twice(backend: str, dtype: str) -> None:
    """All three arrays may be one."""
    x = all_inputs(dtype).copy()
    with fa.use_backend(backend):
        expected = without_tables(Case(fa.silu.row, (1.0,)), "backward", (x, x))[0]
        for _ in range(2):
            both = x.copy()
            np.testing.assert_array_equal(
                bits(fa.silu.backward(both, both, out=both)), bits(expected)
            )


@each_dtype
def test_backward_of_any_layout(backend: str, dtype: str) -> None:
    """Strides, byte order, broadcasting and overlap are those of the general way."""
    x = all_inputs(dtype).reshape(256, 256)
    g = np.random.default_rng(20_261_127).permutation(x.ravel()).reshape(x.shape)
    with fa.use_backend(backend):
        wanted = bits(fa.gelu.backward(g, x))
        for form in (
            np.asfortranarray,
            lambda a: np.repeat(a, 2, axis=1)[:, ::2],
            lambda a: a.astype(a.dtype.newbyteorder()),
        ):
            for pair in ((form(g), x), (g, form(x)), (form(g), form(x))):
                np.testing.assert_array_equal(bits(fa.gelu.backward(*pair)), wanted)
        row = bits(fa.gelu.backward(np.tile(g[0], (256, 1)), x))
        np.testing.assert_array_equal(bits(fa.gelu.backward(g[0], x)), row)
        memory = np.concatenate([x.ravel(), x.ravel()[:100]])
        result = fa.gelu.backward(g.ravel(), memory[:-100], out=memory[100:])
        np.testing.assert_array_equal(bits(result), wanted.ravel())


@pytest.mark.skipif(config.driver is None, reason="needs the extension")
@each_dtype
def test_a_wider_output_gets_what_is_not_rounded(dtype: str) -> None:
    """As it does from arrays that are too short for a table."""
    x = all_inputs(dtype)
    for verb, arrays in ((fa.gelu, (x,)), (fa.gelu.backward, (x, x))):
        pieces = [tuple(a[i : i + PIECE] for a in arrays) for i in range(0, x.size, PIECE)]
        parts = [verb(*piece, out=np.empty(PIECE, np.float32)) for piece in pieces]
        wanted = np.concatenate(parts)
        result = verb(*arrays, out=np.empty(x.size, np.float32))
        np.testing.assert_array_equal(bits(result), bits(wanted))


def test_zeros_of_either_sign_have_tables_of_their_own(backend: str) -> None:
    x = np.full(tables.WORTH_A_TABLE, -2, np.float16)
    for slope in (0.0, -0.0):
        for result in (
            fa.leaky_relu(x, slope, backend=backend),
            fa.leaky_relu.backward(x, x, slope, backend=backend),
        ):
            assert np.signbit(result).all() == (slope == 0 and not np.signbit(slope))
